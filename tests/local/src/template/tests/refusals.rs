//! Templates that are refused, with the line and the reason.

use super::{super::yaml, FUNCTION, stack};
use crate::faults::file::Plan;
use anyhow::{Context, Result, ensure};

/// Checks that each of these makes a template that is refused with one line, which contains this text.
fn check(refusals: &[(String, &str)]) -> Result<()> {
    for (rest, expected) in refusals {
        let error = stack(rest).err();
        let error = error.with_context(|| format!("{rest} is accepted"))?;
        let error = format!("{error:#}");
        ensure!(error.contains(expected), "{rest}: {error}");
        ensure!(!error.contains('\n'), "{rest}: {error}");
    }
    Ok(())
}

fn queue(properties: &str) -> String {
    format!("  Q: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}")
}

fn function(properties: &str) -> String {
    format!(
        "  Q: {{Type: AWS::SQS::Queue}}\n  F: {{Type: AWS::Serverless::Function, {FUNCTION}, \
         Properties: {{CodeUri: p, {properties}}}}}"
    )
}

fn api_event(event: &str) -> String {
    let properties = format!("{{RestApiId: !Ref Api, {event}}}");
    function(&format!(
        "Events: {{E: {{Type: Api, Properties: {properties}}}}}"
    ))
}

fn sqs_event(event: &str) -> String {
    let properties = format!("{{Queue: !GetAtt Q.Arn, {event}}}");
    function(&format!(
        "Events: {{E: {{Type: SQS, Properties: {properties}}}}}"
    ))
}

fn second_api(properties: &str) -> String {
    format!("  B: {{Type: AWS::Serverless::Api, Properties: {{StageName: v1, {properties}}}}}")
}

fn gateway_response(response: &str) -> String {
    second_api(&format!("GatewayResponses: {{THROTTLED: {{{response}}}}}"))
}

#[test]
fn sections_and_resources_that_are_not_understood_are_refused() -> Result<()> {
    check(&[
        (
            "  X: {Type: AWS::S3::Bucket}".to_owned(),
            "line 6: Resources.X.Type: AWS::S3::Bucket isn't supported; supported: AWS::DynamoDB::Table",
        ),
        (
            "  Q: {Type: AWS::SQS::Queue, CreationPolicy: x}".to_owned(),
            "Resources.Q.CreationPolicy: isn't supported",
        ),
        (
            "  Q: {Type: AWS::SQS::Queue, Condition: Maybe}".to_owned(),
            "Resources.Q.Condition: there is no condition Maybe",
        ),
        (
            "Outputs: {O: {Value: !Ref Nowhere}}".to_owned(),
            "Outputs.O.Value: Nowhere is no parameter",
        ),
        (
            "Outputs: {O: {Value: {'Fn::GetAtt': Api.Arn}}}".to_owned(),
            "Outputs.O.Value: Api has no Arn here; supported: none",
        ),
        (
            "Rules: {}".to_owned(),
            "line 6: Rules: isn't supported; supported: AWSTemplateFormatVersion",
        ),
        (
            "Globals: {HttpApi: {}}".to_owned(),
            "Globals.HttpApi: isn't supported; supported: Function, Api",
        ),
        (
            "Globals: {Api: {Cors: x}}".to_owned(),
            "line 6: Globals.Api.Cors: isn't supported",
        ),
        ("Resources: {}".to_owned(), "duplicated key"),
    ])
}

#[test]
fn what_a_queue_may_not_have_is_refused() -> Result<()> {
    check(&[
        (
            queue("FifoQueue: true"),
            "line 6: Resources.Q.Properties.FifoQueue: isn't supported; supported: QueueName, ",
        ),
        (
            queue("VisibilityTimeout: 43201"),
            "Resources.Q.Properties.VisibilityTimeout: a number from 0 to 43200 is expected",
        ),
        (
            queue("QueueName: !Ref Q"),
            "Q is no parameter, and no resource that can be referred to here",
        ),
        (
            queue("RedrivePolicy: {deadLetterTargetArn: 'a:b', maxReceiveCount: 1}"),
            "Resources.Q: RedrivePolicy names b, which is no queue",
        ),
        (
            queue("QueueName: !FindInMap [a, b, c]"),
            "the function FindInMap isn't supported here; supported: Ref, GetAtt",
        ),
        (queue("QueueName: !Sub '${Word'"), "a ${ isn't closed"),
        (
            queue("QueueName: !Ref AWS::NoValue"),
            "Resources.Q.Properties.QueueName: may not be AWS::NoValue",
        ),
        (
            queue("QueueName: "),
            "Resources.Q.Properties.QueueName: has no value",
        ),
    ])
}

#[test]
fn what_a_function_may_not_have_is_refused() -> Result<()> {
    check(&[
        (
            function("Layers: []"),
            "Resources.F.Properties.Layers: isn't supported",
        ),
        (
            function("Runtime: nodejs22.x"),
            "Properties.Runtime: isn't supported; supported: provided.al2023",
        ),
        (
            function("Events: {E: {Type: S3, Properties: {}}}"),
            "Properties.Events.E.Type: isn't supported; supported: Api, SQS",
        ),
        (
            function("Environment: {Variables: {A: '{{resolve:ssm:x}}'}}"),
            "Variables.A: {{resolve:ssm:x}} is no secret of this template",
        ),
        (
            sqs_event("BatchSize: 11"),
            "a BatchSize over 10 needs a MaximumBatchingWindowInSeconds",
        ),
        (
            sqs_event("ScalingConfig: {MaximumConcurrency: 1}"),
            "MaximumConcurrency: a number from 2 to 1000 is expected",
        ),
        (
            sqs_event("FilterCriteria: {}"),
            "E.Properties.FilterCriteria: isn't supported",
        ),
        (
            sqs_event("BatchSize: 1").replace("CodeUri: p", "CodeUri: p, Timeout: 31"),
            "the visibility timeout of Q is less than the function's timeout",
        ),
    ])
}

#[test]
fn what_a_role_may_not_have_is_refused() -> Result<()> {
    let role =
        |properties: &str| format!("  R: {{Type: AWS::IAM::Role, Properties: {{{properties}}}}}");
    let statement = |statement: &str| {
        let document = format!("{{Version: '2012-10-17', Statement: [{{{statement}}}]}}");
        role(&format!(
            "Policies: [{{PolicyName: p, PolicyDocument: {document}}}]"
        ))
    };
    check(&[
        (
            role("ManagedPolicyArns: [a]"),
            "Resources.R.Properties.ManagedPolicyArns: isn't supported",
        ),
        (
            statement("Effect: Deny, Action: a, Resource: r"),
            "Statement[0].Effect: isn't supported; supported: Allow",
        ),
        (
            statement("Effect: Allow, NotAction: a, Resource: r"),
            "Statement[0].NotAction: isn't supported",
        ),
        (
            "  P: {Type: AWS::IAM::Policy}".to_owned(),
            "Resources.P.Type: AWS::IAM::Policy isn't supported",
        ),
        (function("Role: r"), "the ARN of a role is expected"),
    ])
}

#[test]
fn what_an_api_may_not_have_is_refused() -> Result<()> {
    check(&[
        (
            api_event("Path: '/a/{b+}', Method: GET"),
            "E.Properties.Path: isn't supported; supported: /segments/{parameter}",
        ),
        (
            api_event("Path: /, Method: BREW"),
            "E.Properties.Method: isn't supported; supported: ANY",
        ),
        (
            api_event("Path: /, Method: GET, Auth: {Authorizer: a}"),
            "E.Properties.Auth.Authorizer: isn't supported",
        ),
        (
            second_api("Auth: {DefaultAuthorizer: Mine}"),
            "Auth.DefaultAuthorizer: isn't supported; supported: AWS_IAM",
        ),
        (
            second_api("Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: CALLER_CREDENTIALS}"),
            "Auth.InvokeRole: isn't supported; supported: NONE",
        ),
        (
            second_api("Auth: {Authorizers: {Mine: {}}}"),
            "Auth.Authorizers: isn't supported",
        ),
        (
            second_api("Name: b"),
            "line 6: Resources.B: is a second API; one is supported",
        ),
        (
            second_api("BinaryMediaTypes: ['*/*']"),
            "Resources.B.Properties.BinaryMediaTypes: isn't supported",
        ),
        (
            second_api("GatewayResponses: {MISSING: {}}"),
            "GatewayResponses.MISSING: isn't a gateway response; supported: ACCESS_DENIED",
        ),
        (
            gateway_response("ResponseTemplates: {application/json: $input.body}"),
            "a variable of the template isn't supported; supported: $context.error.messageString",
        ),
        (
            gateway_response("ResponseParameters: {Headers: {A: context.requestId}}"),
            "Headers.A: isn't supported; supported: a literal in single quotes",
        ),
    ])
}

#[test]
fn a_document_that_is_too_deep_is_refused_before_a_tree_is_made_of_it() -> Result<()> {
    for depth in [100, 1000, 100_000] {
        for deep in ["- ", "? ", "a: [", "a: {b: "] {
            let template = format!("Resources: \n  {}x", deep.repeat(depth));
            let error = yaml::load(&template).err();
            let error = error.with_context(|| format!("{depth} of {deep} are accepted"))?;
            let error = error.to_string();
            ensure!(
                error.starts_with("line ") && !error.contains('\n'),
                "{error}"
            );
        }
        let faults = format!("faults:\n  {}x", "- ".repeat(depth));
        let error = Plan::read(&faults).err().context("they are accepted")?;
        ensure!(
            error.to_string() == "line 2: has more than 100 levels",
            "{error}"
        );
    }
    let deepest = format!("a: {}x", "\n- ".to_owned() + &"- ".repeat(98));
    yaml::load(&deepest)?;
    Ok(())
}
