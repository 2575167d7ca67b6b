//! Templates that load, and their resolved values.

mod refusals;
mod repository;
mod watched;

use super::{
    model::{Place, Stack},
    read,
};
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::BTreeMap;

/// A template of four lines, followed by `rest`, within `Resources`.
fn stack(rest: &str) -> Result<Stack> {
    with_overrides(rest, &[])
}

fn with_overrides(rest: &str, overrides: &[(&str, &str)]) -> Result<Stack> {
    let template = format!(
        "Transform: AWS::Serverless-2016-10-31\n\
         Parameters: {{Word: {{Type: String, Default: w, AllowedValues: [w, v]}}, \
         Count: {{Type: Number, Default: 3, MinValue: 2, MaxValue: 9}}, \
         Code: {{Type: String, Default: '', AllowedPattern: '|[a-z]{{1,3}}(-\\d)?'}}}}\n\
         Conditions: {{Yes: !Equals [!Ref Word, w], No: !Not [!Condition Yes]}}\n\
         Resources:\n  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: v1}}}}\n{rest}\n"
    );
    let overrides = overrides
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read(&template, &overrides, &place(), &mut |id| {
        format!("secret of {id}")
    })
}

fn place() -> Place {
    Place {
        api: "http://127.0.0.1:3000".to_owned(),
        services: "http://127.0.0.1:3001".to_owned(),
    }
}

const FUNCTION: &str = "Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: b}}";

#[test]
fn an_intrinsic_function_gives_its_value() -> Result<()> {
    let resources = format!(
        "  Q: {{Type: AWS::SQS::Queue}}\n  \
         Named: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub '${{Word}}-queue'}}}}\n  \
         T: {{Type: AWS::DynamoDB::Table, Properties: {{KeySchema: [], AttributeDefinitions: []}}}}\n  \
         F: {{Type: AWS::Serverless::Function, {FUNCTION}, Properties: {{CodeUri: ./p/}}}}\n  \
         S: {{Type: AWS::SecretsManager::Secret, Properties: {{GenerateSecretString: {{}}}}}}\n  \
         Topic: {{Type: AWS::SNS::Topic, Properties: {{Unread: !Ref Nowhere}}}}\n"
    );
    for (expression, expected) in [
        ("!Ref Word", "w"),
        ("{Ref: Count}", "3"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref Q", "http://127.0.0.1:3001/000000000000/Q"),
        ("!Ref Named", "http://127.0.0.1:3001/000000000000/w-queue"),
        ("!GetAtt Q.Arn", "arn:aws:sqs:us-east-1:000000000000:Q"),
        ("!GetAtt [Named, QueueName]", "w-queue"),
        ("{'Fn::GetAtt': [Named, QueueName]}", "w-queue"),
        ("!Ref T", "T"),
        (
            "!GetAtt T.Arn",
            "arn:aws:dynamodb:us-east-1:000000000000:table/T",
        ),
        (
            "!GetAtt F.Arn",
            "arn:aws:lambda:us-east-1:000000000000:function:F",
        ),
        (
            "!Ref S",
            "arn:aws:secretsmanager:us-east-1:000000000000:secret:S-000000",
        ),
        ("!Ref Topic", "Topic"),
        ("!Ref ApiApiKey", "ApiApiKey"),
        (
            "!Sub '${Word}${!Word}-${Named.QueueName}'",
            "w${Word}-w-queue",
        ),
        ("!Sub ['${A}${Word}', {A: !Ref Count}]", "3w"),
        (
            "!Sub 'arn:${AWS::Partition}:${AWS::AccountId}:${AWS::StackName}'",
            "arn:aws:000000000000:local",
        ),
        (
            "!Sub 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1'",
            "http://127.0.0.1:3000/v1",
        ),
        (
            "!Join ['', ['https://', !Ref Api, .execute-api.us-east-1.amazonaws.com, /v1]]",
            "http://127.0.0.1:3000/v1",
        ),
        ("!Join ['-', [a, !Ref AWS::NoValue, !Ref Word]]", "a-w"),
        ("!Select [1, [a, !Ref Word]]", "w"),
        ("!Select [1, !Split [':', 'a:b:c']]", "b"),
        ("!Select [0, !Split [':', !Ref Word]]", "w"),
        ("!Join ['+', !Split ['-', !Sub '${Word}-b']]", "w+b"),
        ("!If [Yes, a, b]", "a"),
        ("!If [No, !Ref Nowhere, b]", "b"),
        ("{'Fn::If': [No, a, {'Fn::Sub': 'b${Word}'}]}", "bw"),
    ] {
        let stack = stack(&format!(
            "{resources}Outputs: {{O: {{Value: {expression}}}}}"
        ))
        .context(expression)?;
        assert_eq!(stack.outputs["O"], expected, "{expression}");
    }
    Ok(())
}

#[test]
fn a_condition_decides_whether_something_exists() -> Result<()> {
    let stack = stack(
        "  Q: {Type: AWS::SQS::Queue, Condition: Yes}\n  \
           R: {Type: AWS::SQS::Queue, Condition: No, Properties: {QueueName: !Ref Nowhere}}\n\
         Outputs: {A: {Value: a, Condition: Yes}, B: {Value: !Ref R, Condition: No}}",
    )?;
    assert_eq!(stack.queues.keys().collect::<Vec<_>>(), ["Q"]);
    assert_eq!(stack.outputs.keys().collect::<Vec<_>>(), ["A"]);
    Ok(())
}

#[test]
fn an_override_replaces_a_default_within_its_bounds() -> Result<()> {
    for (overrides, expected) in [
        (&[] as &[_], "w3"),
        (&[("Word", "v"), ("Count", "9")], "v9"),
        (&[("Code", "abc-1")], "w3"),
    ] {
        let output = "Outputs: {O: {Value: !Sub '${Word}${Count}'}}";
        assert_eq!(with_overrides(output, overrides)?.outputs["O"], expected);
    }
    for (name, value, expected) in [
        (
            "Word",
            "x",
            "line 2: Parameters.Word: \"x\" isn't one of w, v",
        ),
        (
            "Count",
            "1",
            "line 2: Parameters.Count: \"1\" is beyond MinValue 2",
        ),
        (
            "Count",
            "10",
            "line 2: Parameters.Count: \"10\" is beyond MaxValue 9",
        ),
        (
            "Count",
            "ten",
            "line 2: Parameters.Count: \"ten\" isn't a number",
        ),
        (
            "Code",
            "ABC",
            "line 2: Parameters.Code: \"ABC\" doesn't match AllowedPattern",
        ),
        // The whole value must match.
        (
            "Code",
            "abcd",
            "line 2: Parameters.Code: \"abcd\" doesn't match AllowedPattern",
        ),
        (
            "Code",
            "a-1\n",
            "line 2: Parameters.Code: \"a-1\\n\" doesn't match AllowedPattern",
        ),
        (
            "Cuont",
            "3",
            "Cuont isn't a parameter; the template has: Word, Count, Code",
        ),
    ] {
        let error = with_overrides("", &[(name, value)]).err();
        let error = error.with_context(|| format!("{name}={value} is accepted"))?;
        assert_eq!(format!("{error:#}"), expected);
    }
    Ok(())
}

#[test]
fn a_secret_is_generated_once_for_all_that_refer_to_it() -> Result<()> {
    let template = "
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    CodeUri: p
    Environment: {Variables: {A: global, WHOLE: !Sub '<{{resolve:secretsmanager:${S}}}>'}}
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  S: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  K:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {SecretStringTemplate: '{}', GenerateStringKey: k}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: b}}
    Properties:
      Environment:
        Variables: {A: own, KEY: !Sub '{{resolve:secretsmanager:${K}:SecretString:k}}', N: 1}
  G:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: b}}
";
    let mut asked = Vec::new();
    let stack = read(template, &BTreeMap::new(), &place(), &mut |id| {
        asked.push(id.to_owned());
        format!("secret {}", asked.len())
    })?;
    let environment = |function: &str| json!(stack.functions[function].environment);
    assert_eq!(
        environment("F"),
        json!({"A": "own", "WHOLE": "<secret 1>", "KEY": "secret 2", "N": "1"})
    );
    assert_eq!(
        environment("G"),
        json!({"A": "global", "WHOLE": "<secret 1>"})
    );
    assert_eq!(asked, ["S", "K"]);
    Ok(())
}

#[test]
fn a_secret_that_is_not_the_templates_goes_by_its_name() -> Result<()> {
    let function = "  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: b}}
    Properties:
      CodeUri: p
      Environment: {Variables: {A: !Sub '{{resolve:secretsmanager:${Word}}}'}}";
    let stack = with_overrides(function, &[("Word", "v")])?;
    assert_eq!(stack.functions["F"].environment["A"], "secret of v");
    Ok(())
}

#[test]
fn conditions_in_a_circle_are_refused() -> Result<()> {
    for (conditions, expected) in [
        ("A: !Not [!Condition A]", "Conditions.A[0]: A"),
        (
            "A: !Not [{Condition: B}], B: !Or [{Condition: A}, !Equals [a, a]]",
            "Conditions.B[0].Condition: A",
        ),
        (
            "A: !Condition B, B: !Condition C, C: !Condition B",
            "Conditions.C: B",
        ),
    ] {
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nConditions: {{{conditions}}}\nResources: {{}}"
        );
        let result = read(&template, &BTreeMap::new(), &place(), &mut |_| {
            String::new()
        });
        let error = result.err().context("it is accepted")?;
        let expected = format!("line 2: {expected} depends on itself");
        assert_eq!(format!("{error:#}"), expected);
    }
    Ok(())
}
