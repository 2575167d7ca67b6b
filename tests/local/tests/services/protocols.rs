//! Tests what a request's head decides: the available operations, the protocol in which a call is refused, the host of queue
//! URLs, the trace of a message.

use super::Fixture;
use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request};
use local::services::served::SERVED;
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

impl Fixture {
    /// Sends any request, and returns the answer as text.
    async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> anyhow::Result<(u16, HeaderMap, String)> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned()))?;
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        Ok((head.status.as_u16(), head.headers, String::from_utf8(body)?))
    }

    async fn sqs(&self, operation: &str, host: &str, body: &Value) -> anyhow::Result<Value> {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("host", host), ("x-amz-target", &target)];
        let body = body.to_string();
        let (status, _, body) = self.request(Method::POST, "/", &headers, &body).await?;
        anyhow::ensure!(status == 200, "{body}");
        Ok(serde_json::from_str(&body)?)
    }
}

#[tokio::test]
async fn every_operation_of_the_list_is_known() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    for service in SERVED.iter().filter(|service| !service.target.is_empty()) {
        for operation in service.operations {
            let target = format!("{}{operation}", service.target);
            let (_, _, body) = fixture.call(&target, &json!({})).await?;
            let error = body["__type"].as_str().unwrap_or_default();
            assert!(
                !error.contains("UnknownOperation") && !error.contains("UnsupportedOperation"),
                "{target}: {body}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn sqs_refuses_the_query_protocol_and_names_the_json_protocol() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let query = "Action=ListQueues&Version=2012-11-05";
    for (method, path, headers, body) in [
        (Method::POST, "/".to_owned(), &[FORM][..], query),
        (Method::POST, "/000000000000/q".to_owned(), &[FORM], query),
        (Method::GET, format!("/?{query}"), &[], ""),
    ] {
        let (status, headers, body) = fixture.request(method, &path, headers, body).await?;
        assert_eq!(
            (status, &headers["content-type"]),
            (400, &"text/xml".parse()?)
        );
        for part in [
            "<ErrorResponse><Error><Type>Sender</Type>",
            "<Code>AWS.SimpleQueueService.UnsupportedOperation</Code>",
            "ListQueues came by the older query protocol",
            "AWS CLI 1.29.81, boto3 1.28.81 and botocore 1.31.81",
            "</Error><RequestId>",
        ] {
            assert!(body.contains(part), "{part}: {body}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_not_served_is_refused_in_its_own_protocol() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let signed = |service| {
        format!("AWS4-HMAC-SHA256 Credential=F/20260101/us-east-1/{service}/aws4_request")
    };
    let (sts, ssm, lambda) = (signed("sts"), signed("ssm"), signed("lambda"));
    let (v1_0, v1_1) = ("application/x-amz-json-1.0", "application/x-amz-json-1.1");
    let unknown = "UnknownOperationException";

    let query = "Action=Get%3CCaller%3E&Version=2011-06-15";
    let headers = [FORM, ("authorization", &sts)];
    let (status, _, body) = fixture.request(Method::POST, "/", &headers, query).await?;
    assert_eq!(status, 400);
    assert!(
        body.contains("<Code>InvalidAction</Code>") && body.contains("Get&lt;Caller&gt; of sts"),
        "{body}"
    );

    for (target, content_type, authorization, error, named) in [
        (
            "AmazonSSM.GetParameter",
            v1_1,
            &ssm,
            unknown,
            "GetParameter of ssm",
        ),
        (
            "DynamoDB_20120810.CreateBackup",
            v1_0,
            &ssm,
            unknown,
            "CreateBackup",
        ),
        ("AWSEvents.ListRules", v1_1, &ssm, unknown, "ListRules"),
        (
            "AmazonSQS.TagQueue",
            v1_0,
            &ssm,
            "com.amazonaws.sqs#UnsupportedOperation",
            "TagQueue",
        ),
    ] {
        let headers = [
            ("x-amz-target", target),
            ("content-type", content_type),
            ("authorization", authorization),
        ];
        let (status, headers, body) = fixture.request(Method::POST, "/", &headers, "{}").await?;
        assert_eq!(
            (status, &headers["content-type"]),
            (400, &content_type.parse()?)
        );
        let body: Value = serde_json::from_str(&body)?;
        assert_eq!(body["__type"], error);
        let message = body["message"].as_str().context("no message")?;
        assert!(
            message.contains(named) && message.contains("README"),
            "{message}"
        );
    }

    let headers = [("authorization", &*lambda)];
    let path = "/2015-03-31/functions";
    let (status, headers, body) = fixture.request(Method::GET, path, &headers, "").await?;
    assert_eq!(
        (status, &headers["x-amzn-errortype"]),
        (404, &"UnknownOperationException".parse()?)
    );
    let body: Value = serde_json::from_str(&body)?;
    let message = body["message"].as_str().context("no message")?;
    assert!(
        message.contains("GET /2015-03-31/functions of lambda"),
        "{message}"
    );
    Ok(())
}

#[tokio::test]
async fn a_queue_url_names_the_host_that_was_called() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    for host in ["host.docker.internal:3001", "localhost:3001"] {
        let url = format!("http://{host}/000000000000/q");
        let policy = json!({
            "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:q",
            "maxReceiveCount": 1,
        });
        let source = json!({
            "QueueName": "source",
            "Attributes": {"RedrivePolicy": policy.to_string()},
        });
        let created = fixture.sqs("CreateQueue", host, &source).await?;
        assert_eq!(created["QueueUrl"], url.replace("/q", "/source"));
        let name = json!({"QueueName": "q"});
        assert_eq!(
            fixture.sqs("GetQueueUrl", host, &name).await?["QueueUrl"],
            url
        );
        let prefix = json!({"QueueNamePrefix": "q"});
        let listed = fixture.sqs("ListQueues", host, &prefix).await?;
        assert_eq!(listed["QueueUrls"], json!([url]));
        let queue = json!({"QueueUrl": url});
        let sources = fixture
            .sqs("ListDeadLetterSourceQueues", host, &queue)
            .await?;
        assert_eq!(sources["queueUrls"], json!([created["QueueUrl"]]));
    }
    Ok(())
}

#[tokio::test]
async fn a_message_is_on_its_senders_trace() -> anyhow::Result<()> {
    let fixture = Fixture::start().await?;
    let header = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1";
    let own = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let own = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": own}});
    for (trace, attributes, expected) in [
        (header, json!({}), json!(header)),
        (
            header,
            own.clone(),
            own["AWSTraceHeader"]["StringValue"].clone(),
        ),
        ("Root=7", json!({}), Value::Null),
    ] {
        let body = json!({
            "QueueUrl": "http://localhost/000000000000/q",
            "MessageBody": "body",
            "MessageSystemAttributes": attributes,
        });
        let headers = [
            ("x-amz-target", "AmazonSQS.SendMessage"),
            ("x-amzn-trace-id", trace),
        ];
        let body = body.to_string();
        let sent = fixture.request(Method::POST, "/", &headers, &body).await?;
        assert_eq!(sent.0, 200);
        let message = fixture
            .sqs
            .receive("q", 1, std::time::Duration::ZERO)
            .await?;
        let received = message.first().context("no message")?;
        assert_eq!(json!(received.attributes.get("AWSTraceHeader")), expected);
    }
    Ok(())
}
