//! DynamoDB's JSON protocol, answered by the embedded database. It is reachable only through `services`.

use super::threads::Threads;
use axum::body::Body;
use bytes::Bytes;
use dynoxide::{
    Database, DynoxideError,
    auth_material::{self, AuthMaterial},
};
use hyper::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;
use uuid::Uuid;

const AMZ_JSON: &str = "application/x-amz-json-1.0";
const JSON: &str = "application/json";
/// DynamoDB's message for a value that is nested too deep, also used where serde_json stops parsing a request.
const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels \
    beyond supported limit";

/// DynamoDB's message for a value without a type.
const EMPTY: &str =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";

/// The tables. Cheap to clone.
#[derive(Clone)]
pub struct Tables {
    database: Database,
    threads: Threads,
}

impl Tables {
    /// Answers from this database, on its own threads.
    pub fn new(database: Database) -> std::io::Result<Self> {
        let threads = Threads::start()?;
        Ok(Self { database, threads })
    }

    /// Answers a request. `operation` follows `DynamoDB_20120810.` in `X-Amz-Target`. A call that was started is completed
    /// even if its caller goes away.
    pub async fn handle(&self, head: &Parts, operation: &str, body: Bytes) -> Response<Body> {
        let text = |name: &str| head.headers.get(name)?.to_str().ok();
        let kind = text("content-type").and_then(|kind| kind.split(';').next());
        let kind = match kind.map(str::trim) {
            Some(kind) if kind.eq_ignore_ascii_case(AMZ_JSON) => AMZ_JSON,
            Some(kind) if kind.eq_ignore_ascii_case(JSON) => JSON,
            None if body.is_empty() => JSON,
            _ => return not_found(),
        };
        if head.method != Method::POST || head.uri.path() != "/" {
            return not_found();
        }
        // Signatures aren't verified, but one must be present, as DynamoDB requires.
        let unsigned = auth_material::validate(AuthMaterial {
            authorization: text("authorization"),
            query: head.uri.query().unwrap_or_default(),
            has_date_header: text("x-amz-date").or_else(|| text("date")).is_some(),
        });
        if let Some(refusal) = unsigned {
            return respond(StatusCode::BAD_REQUEST, kind, refusal);
        }
        let (database, operation) = (self.database.clone(), operation.to_owned());
        let run = move || run(&database, &operation, &body).map_err(|e| refusal(&operation, e));
        match self.threads.run(run).await {
            Ok(Ok(answer)) => respond(StatusCode::OK, kind, answer),
            Ok(Err(error)) => {
                let status = StatusCode::from_u16(error.status_code()).unwrap_or_default();
                respond(status, kind, error.to_json())
            }
            Err(error) => {
                let error = DynoxideError::InternalServerError(error.to_string());
                respond(StatusCode::INTERNAL_SERVER_ERROR, kind, error.to_json())
            }
        }
    }
}

fn run(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "BatchExecuteStatement" => answer(body, |r| database.batch_execute_statement(r)),
        "BatchGetItem" => answer(body, |r| database.batch_get_item(r)),
        "BatchWriteItem" => answer(body, |r| database.batch_write_item(r)),
        "CreateTable" => answer(body, |r| database.create_table(r)),
        "DeleteItem" => answer(body, |r| database.delete_item(r)),
        "DeleteTable" => answer(body, |r| database.delete_table(r)),
        "DescribeTable" => answer(body, |r| database.describe_table(r)),
        "DescribeTimeToLive" => answer(body, |r| database.describe_time_to_live(r)),
        "ExecuteStatement" => answer(body, |r| database.execute_statement(r)),
        "ExecuteTransaction" => answer(body, |r| database.execute_transaction(r)),
        "GetItem" => answer(body, |r| database.get_item(r)),
        "ListTables" => answer(body, |r| database.list_tables(r)),
        "ListTagsOfResource" => answer(body, |r| database.list_tags_of_resource(r)),
        "PutItem" => answer(body, |r| database.put_item(r)),
        "Query" => answer(body, |r| database.query(r)),
        "Scan" => answer(body, |r| database.scan(r)),
        "TagResource" => answer(body, |r| database.tag_resource(r)),
        "TransactGetItems" => answer(body, |r| database.transact_get_items(r)),
        "TransactWriteItems" => answer(body, |r| database.transact_write_items(r)),
        "UntagResource" => answer(body, |r| database.untag_resource(r)),
        "UpdateItem" => answer(body, |r| database.update_item(r)),
        "UpdateTable" => answer(body, |r| database.update_table(r)),
        "UpdateTimeToLive" => answer(body, |r| database.update_time_to_live(r)),
        unknown => Err(DynoxideError::UnsupportedCapability(unknown.to_owned())),
    }
}

/// Reads a request, makes the call, and writes its response.
fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let answer = call(request)?;
    serde_json::to_string(&answer).map_err(|e| DynoxideError::InternalServerError(e.to_string()))
}

/// The error of a request that can't be parsed. dynoxide starts some messages with DynamoDB's kind of error for them.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    use DynoxideError::{EnvelopedValidation, SerializationException, ValidationException};
    let (message, at) = (error.to_string(), (error.line(), error.column()));
    let position = format!(" at line {} column {}", at.0, at.1);
    let message = message.strip_suffix(&position).unwrap_or(&message);
    if message == "recursion limit exceeded" {
        return ValidationException(TOO_DEEP.to_owned());
    }
    if error.classify() != Category::Data {
        return SerializationException(String::new());
    }
    if message.contains("empty AttributeValue") {
        return ValidationException(EMPTY.to_owned());
    }
    let marked = message.split_once(':').map(|(kind, rest)| match kind {
        "VALIDATION_REQUEST" => Some(EnvelopedValidation(rest.to_owned())),
        "VALIDATION" | "VALIDATION_AS_READ" => Some(ValidationException(rest.to_owned())),
        "SERIALIZATION" | "SERIALIZATION_AS_READ" => Some(SerializationException(rest.to_owned())),
        _ => None,
    });
    let is_incomplete = [
        "missing field",
        "unknown variant",
        "invalid type: null",
        "Supplied AttributeValue",
    ];
    match marked.flatten() {
        Some(error) => error,
        None if is_incomplete.iter().any(|text| message.contains(text)) => {
            ValidationException(message.to_owned())
        }
        None => SerializationException(message.to_owned()),
    }
}

/// The error as DynamoDB words it for this operation.
fn refusal(operation: &str, error: DynoxideError) -> DynoxideError {
    use DynoxideError::{
        ConditionalCheckFailedException, EnvelopedValidation, SerializationException,
        StatementConditionalCheckFailed, ValidationException,
    };
    match (operation, error) {
        ("PutItem" | "UpdateItem" | "DeleteItem", EnvelopedValidation(message)) => {
            ValidationException(format!("1 validation error detected: {message}"))
        }
        (_, EnvelopedValidation(message)) => ValidationException(message),
        ("ExecuteStatement", ConditionalCheckFailedException(message, Some(item))) => {
            StatementConditionalCheckFailed(message, item)
        }
        // dynoxide parses some fields only after the rest.
        (_, ValidationException(message))
            if message.starts_with("invalid type: ") && !message.contains("null") =>
        {
            SerializationException(message)
        }
        (_, error) => error,
    }
}

fn not_found() -> Response<Body> {
    let body = "<UnknownOperationException/>\n".to_owned();
    respond(StatusCode::NOT_FOUND, "text/xml", body)
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = Uuid::new_v4().simple().to_string().to_uppercase().parse() {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
