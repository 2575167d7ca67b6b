//! Who the client of a request is, for each kind of gateway and caller.

use crate::faked::{
    answering, ask, config, http, ids, ingest, read, request, request_by, rest, sample,
};
use anyhow::{Context, Result};
use events::Client;
use ingest::{gateway::RoleClients, request::client};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Returns the client of a REST API's and of an HTTP API's request with this context; None if it is refused.
async fn clients(context: Value) -> Result<[Option<String>; 2]> {
    let mut clients = [None, None];
    let members = json!({"requestContext": context});
    for (found, event) in clients
        .iter_mut()
        .zip([rest(members.clone()), http(members)])
    {
        let client = client(&request(read(&event)?).await?).ok();
        *found = client.map(|client| client.as_str().to_owned());
    }
    Ok(clients)
}

/// Contexts of authorizers, and the clients that they name.
fn by_authorizer() -> Vec<(Value, &'static str)> {
    let authorizer =
        |authorizer: Value| json!({"authorizer": authorizer, "identity": {"apiKeyId": "key"}});
    let arn = "arn:aws:sts::123456789012:assumed-role/shop/i-1";
    vec![
        (
            authorizer(json!({"principalId": "ann", "integrationLatency": 7})),
            "principal:ann",
        ),
        (
            authorizer(json!({"lambda": {"principalId": "ben", "plan": 1}})),
            "principal:ben",
        ),
        (
            authorizer(json!({"lambda": {"principalId": 7}})),
            "principal:7",
        ),
        (
            authorizer(json!({"principalId": "ann", "claims": {"sub": "ben"}})),
            "principal:ann",
        ),
        (
            authorizer(
                json!({"jwt": {"claims": {"iss": "https://a", "sub": "ann"}, "scopes": null}}),
            ),
            r#"subject:["https://a","ann"]"#,
        ),
        (
            authorizer(
                json!({"claims": {"iss": "https://b", "sub": "ann", "exp": 1}, "scopes": null}),
            ),
            r#"subject:["https://b","ann"]"#,
        ),
        (
            authorizer(json!({"claims": {"sub": "ann"}})),
            r#"subject:["","ann"]"#,
        ),
        (
            authorizer(
                json!({"jwt": {"claims": {"iss": "https://a", "client_id": "ann", "azp": "x"}}}),
            ),
            r#"oauth-client:["https://a","ann"]"#,
        ),
        (
            authorizer(json!({"jwt": {"claims": {"iss": "https://a", "azp": "shop", "sub": " "}}})),
            r#"oauth-client:["https://a","shop"]"#,
        ),
        (
            authorizer(json!({"iam": {"userArn": arn, "userId": "AROA:i-1"}})),
            "iam:arn:aws:sts::123456789012:assumed-role/shop",
        ),
        (
            authorizer(json!({"iam": {"userArn": "", "callerId": "AIDA"}})),
            "iam:AIDA",
        ),
        (authorizer(json!({"iam": {"userId": "AIDB"}})), "iam:AIDB"),
        (
            authorizer(
                json!({"iam": {"userArn": arn, "cognitoIdentity": {"amr": 1, "identityId": "eu:1"}}}),
            ),
            "cognito-identity:eu:1",
        ),
    ]
}

/// Contexts without an authorizer, and the clients that they name.
fn by_gateway() -> Vec<(Value, &'static str)> {
    let identity = |identity: Value| json!({"identity": identity});
    let arn = "arn:aws:sts::123456789012:assumed-role/shop/i-1";
    vec![
        (
            identity(json!({"userArn": "arn:b", "caller": "AIDA", "apiKeyId": "key"})),
            "iam:arn:b",
        ),
        (
            identity(json!({"userArn": null, "caller": "AIDC"})),
            "iam:AIDC",
        ),
        (
            identity(json!({"userArn": arn, "cognitoIdentityId": "eu:2"})),
            "cognito-identity:eu:2",
        ),
        (
            identity(
                json!({"clientCert": {"subjectDN": "CN=ann", "issuerDN": "CN=ca", "serialNumber": "1"}}),
            ),
            r#"certificate:["CN=ca","CN=ann"]"#,
        ),
        (
            json!({"authentication": {"clientCert": {"subjectDN": "CN=ben", "issuerDN": "CN=ca"}}}),
            r#"certificate:["CN=ca","CN=ben"]"#,
        ),
        (identity(json!({"apiKeyId": "key"})), "key"),
        (
            identity(json!({"apiKeyId": "principal:ann"})),
            "api-key:principal:ann",
        ),
        (
            identity(json!({"apiKeyId": "anonymous"})),
            "api-key:anonymous",
        ),
        // No authorizer.
        (json!({}), "anonymous"),
        (json!({"authorizer": null, "identity": null}), "anonymous"),
        (
            json!({"authorizer": {}, "identity": {"apiKeyId": ""}}),
            "anonymous",
        ),
        (
            json!({"authorizer": {"claims": null, "scopes": null}}),
            "anonymous",
        ),
        (
            identity(json!({"sourceIp": "203.0.113.7", "userAgent": "curl", "user": null})),
            "anonymous",
        ),
    ]
}

#[tokio::test]
async fn each_caller_that_the_gateway_names_is_a_client() -> Result<()> {
    let mut names = BTreeSet::new();
    let contexts = [by_authorizer(), by_gateway()].concat();
    for (context, expected) in contexts.clone() {
        let expected_twice = [Some(expected.to_owned()), Some(expected.to_owned())];
        assert_eq!(clients(context.clone()).await?, expected_twice, "{context}");
        names.insert(expected);
    }
    // Some clients are named by several contexts: a principal and anonymous callers.
    assert_eq!(names.len(), contexts.len() - 5);
    Ok(())
}

#[tokio::test]
async fn an_authorizer_that_names_no_client_is_refused() -> Result<()> {
    let long = json!([[[[[[[[1]]]]]]]]);
    for authorizer in [
        json!({"tenant": "ann"}),
        json!({"lambda": {"tenant": "ann"}}),
        json!({"lambda": {}}),
        json!({"lambda": null}),
        json!({"iam": {}}),
        json!({"iam": {"accountId": "123456789012", "accessKey": "AKIA"}}),
        json!({"jwt": {"claims": {}, "scopes": ["orders"]}}),
        json!({"jwt": null}),
        json!({"jwt": "eyJ"}),
        json!({"claims": {"iss": "https://a", "email": "ann@example.com"}}),
        json!({"claims": {"sub": [7]}}),
        json!({"principalId": ""}),
        json!({"principalId": " \t"}),
        json!({"principalId": ["ann"]}),
        json!({"principalId": true}),
        json!({"lambda": {"principalId": -7.5}}),
        json!("ann"),
        json!(["ann"]),
        long,
    ] {
        // An API key doesn't help: many users may share one.
        for identity in [json!(null), json!({"apiKeyId": "key"})] {
            let context = json!({"authorizer": authorizer, "identity": identity});
            assert_eq!(clients(context).await?, [None, None], "{authorizer}");
        }
        let mut event = sample("order")?;
        event["requestContext"]["authorizer"] = authorizer.clone();
        let sqs = config(answering(|_| panic!("something is sent"))).build();
        let answer = ingest(&event, &sqs).await?;
        assert_eq!(
            (answer.status, &answer.document()?["title"]),
            (403, &json!("Forbidden"))
        );
        event["httpMethod"] = json!("GET");
        assert_eq!(ask(&event, &sqs).await?.status, 403);
    }
    Ok(())
}

#[tokio::test]
async fn what_an_authorizer_says_beside_the_name_does_no_harm() -> Result<()> {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    for odd in [
        r#""A \ud83d""#,
        r#"{"\udc00":1}"#,
        "1e999",
        "-1e999",
        &deep,
        "[null]",
        "{}",
        "true",
    ] {
        for (event, expected) in [
            (
                r#"{"httpMethod":"POST","requestContext":{"authorizer":{"principalId":"ann","odd":ODD}}}"#,
                "principal:ann",
            ),
            (
                r#"{"httpMethod":"POST","requestContext":{"authorizer":{"odd\ud800":ODD,"principalId":"ann"}}}"#,
                "principal:ann",
            ),
            (
                r#"{"httpMethod":"POST","requestContext":{"authorizer":{"claims":{"sub":"ann","odd":ODD}}}}"#,
                r#"subject:["","ann"]"#,
            ),
            (
                r#"{"requestContext":{"http":{"method":"GET"},"authorizer":{"jwt":{"scopes":ODD,"claims":{"odd":ODD,"sub":"ann"}}}}}"#,
                r#"subject:["","ann"]"#,
            ),
            (
                r#"{"requestContext":{"http":{"method":"GET"},"authorizer":{"lambda":{"principalId":"ann","odd":ODD}}}}"#,
                "principal:ann",
            ),
            (
                r#"{"requestContext":{"http":{"method":"GET"},"authorizer":{"iam":{"userArn":"ann","cognitoIdentity":ODD}}}}"#,
                "iam:ann",
            ),
            (
                r#"{"requestContext":{"http":{"method":"GET"},"timeEpoch":ODD,"stage":ODD,"authentication":ODD}}"#,
                "anonymous",
            ),
            (
                r#"{"httpMethod":"GET","requestContext":{"identity":{"apiKeyId":"ann","user":ODD}},"stageVariables":ODD}"#,
                "ann",
            ),
            (
                r#"{"httpMethod":"GET","requestContext":{},"headers":ODD,"pathParameters":ODD,"resource":ODD,"path":ODD}"#,
                "anonymous",
            ),
        ] {
            let event = event.replace("ODD", odd);
            let read = serde_json::from_str(&event).with_context(|| event.clone())?;
            let client = client(&request(read).await?);
            let client = client.ok().with_context(|| event.clone())?;
            assert_eq!(client.as_str(), expected);
        }
    }
    // A name that isn't Unicode counts as absent: two of them could look the same.
    let half =
        r#"{"httpMethod":"POST","requestContext":{"authorizer":{"principalId":"A \ud83d"}}}"#;
    assert!(client(&request(serde_json::from_str(half)?).await?).is_err());
    Ok(())
}

#[tokio::test]
async fn a_row_is_its_clients_alone() -> Result<()> {
    let mut row = sample("order-record")?;
    row["client"] = json!({"S": "ben"});
    // Another client's id that happens to carry this client's mark: one in four billion.
    let table = config(answering(move |_| (200, json!({"Item": row.clone()})))).build();
    let answer = ask(&sample("status")?, &table).await?;
    assert_eq!(answer.status, 404);
    assert!(!answer.json.contains("confirmed"), "{}", answer.json);
    Ok(())
}

/// Returns the clients of the two kinds of callers that a gateway names by an IAM name.
async fn by_iam(name: &str, of_role: RoleClients) -> Result<BTreeSet<String>> {
    let mut clients = BTreeSet::new();
    for event in [
        rest(json!({"requestContext": {"identity": {"userArn": name, "caller": "AROAX:i-2"}}})),
        rest(json!({"requestContext": {"identity": {"userArn": null, "caller": name}}})),
        http(json!({"requestContext": {"authorizer": {"iam": {"userArn": name, "userId": "x"}}}})),
        http(json!({"requestContext": {"authorizer": {"iam": {"callerId": name}}}})),
        http(json!({"requestContext": {"authorizer": {"iam": {"userArn": " ", "userId": name}}}})),
    ] {
        let client = client(&request_by(of_role, read(&event)?).await?);
        clients.insert(client.ok().context("no client")?.as_str().to_owned());
    }
    Ok(clients)
}

#[tokio::test]
async fn a_role_is_a_client_and_its_session_is_not() -> Result<()> {
    let check = async |name: &str, expected: &str| {
        let found = by_iam(name, RoleClients::Role).await?;
        assert_eq!(found, BTreeSet::from([format!("iam:{expected}")]), "{name}");
        // With sessions as clients, each session is one.
        let found = by_iam(name, RoleClients::Session).await?;
        assert_eq!(found, BTreeSet::from([format!("iam:{name}")]));
        anyhow::Ok(())
    };
    // Tasks of ECS, instances of EC2, pods of EKS, people in IAM Identity Center, in each partition.
    for partition in ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"] {
        for role in [
            "shop-checkout-task",
            "AWSReservedSSO_Buyers_0123456789abcdef",
            "a+=,.@-_Z",
        ] {
            let role = format!("arn:{partition}:sts::123456789012:assumed-role/{role}");
            for session in [
                "7f3c9d0e5b6a4c1d8e2f",
                "i-0abc",
                "eks-shop-pod-1",
                "ann@shop.example",
            ] {
                check(&format!("{role}/{session}"), &role).await?;
            }
        }
    }
    check("AROAEXAMPLEEXAMPLE12:i-0abc", "AROAEXAMPLEEXAMPLE12").await?;
    // In case an ARN ever contains the role's path.
    let role = "arn:aws:sts::123456789012:assumed-role/team/shop";
    check(&format!("{role}/i-1"), role).await?;
    // Users, and other names without a session.
    for name in [
        "arn:aws:iam::123456789012:user/ann",
        "arn:aws:iam::123456789012:user/team/ann",
        "arn:aws-cn:iam::123456789012:user/assumed-role/ann",
        "arn:aws:sts::123456789012:federated-user/ann",
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:assumed-role/shop",
        "arn:aws:iam::123456789012:role/team/shop",
        "AIDAEXAMPLE",
        "123456789012:ann", // A federated user's id.
        "123456789012",
    ] {
        check(name, name).await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_tasks_of_a_role_place_one_order_under_one_key_and_see_it() -> Result<()> {
    let aws = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    let mut found = BTreeSet::new();
    for session in ["7f3c9d0e5b6a4c1d8e2f", "a91b2c3d4e5f60718293"] {
        let arn = format!("arn:aws:sts::123456789012:assumed-role/shop-checkout-task/{session}");
        let mut event = sample("idempotent-order")?;
        event["requestContext"]["identity"]["userArn"] = json!(arn);
        let placed = ingest(&event, &aws).await?;
        let id = placed.document()?["id"].clone();
        let mut event = sample("status")?;
        event["pathParameters"]["id"] = id.clone();
        event["path"] = json!(format!("/orders/{}", id.as_str().context("no id")?));
        event["requestContext"]["identity"]["userArn"] =
            json!("arn:aws:sts::123456789012:assumed-role/shop-checkout-task/another");
        assert_eq!(ask(&event, &aws).await?.document()?["status"], "queued");
        found.insert(id.to_string());
    }
    assert_eq!(found.len(), 1, "{found:?}");
    Ok(())
}

#[tokio::test]
async fn clients_of_an_http_api_share_neither_keys_nor_ids() -> Result<()> {
    let sqs = config(answering(|_| (200, json!({"MessageId": "1"})))).build();
    let mut found = BTreeSet::new();
    for authorizer in [
        json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/ANN"}}),
        json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/BEN"}}),
        json!({"lambda": {"principalId": "ann"}}),
        json!({"jwt": {"claims": {"sub": "ann", "iss": "https://a"}}}),
        json!({"jwt": {"claims": {"sub": "ann", "iss": "https://b"}}}),
    ] {
        let mut event = sample("order-http-api")?;
        event["headers"]["idempotency-key"] = json!("k1");
        event["requestContext"]["authorizer"] = authorizer.clone();
        let answer = ingest(&event, &sqs).await?;
        assert_eq!(answer.status, 202, "{authorizer}: {answer:?}");
        found.insert(answer.document()?["id"].to_string());
    }
    assert_eq!(found.len(), 5);
    // A client with an API key keeps the ids that it always had.
    let key = events::IdempotencyKey::new("k1")?;
    let before = ids()?.keyed(&Client::identified("8f2kd91mxa"), &key);
    let mut event = sample("order")?;
    event["headers"]["Idempotency-Key"] = json!("k1");
    let answer = ingest(&event, &sqs).await?;
    assert_eq!(answer.document()?["id"], before.to_string());
    Ok(())
}
