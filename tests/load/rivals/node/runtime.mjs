// A minimal Lambda runtime, because `aws-lambda-ric` compiles a C++ client when it is installed: polls for an invocation over
// a kept-alive connection, calls the handler, answers.

import http from "node:http";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const base = "/2018-06-01/runtime";

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: base + path }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const { handler } = await import(pathToFileURL(process.argv[2]).href);
for (;;) {
  const { headers, body } = await call("GET", "/invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Number(headers["lambda-runtime-deadline-ms"]) - Date.now(),
  };
  try {
    const answer = await handler(JSON.parse(body), context);
    await call("POST", `/invocation/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    const document = { errorType: error.name, errorMessage: error.message, stackTrace: [error.stack] };
    await call("POST", `/invocation/${id}/error`, JSON.stringify(document));
  }
}
