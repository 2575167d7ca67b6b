//! The connection that is opened during init.

use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use function::aws::connector;
use ingest::config::connect;
use std::error::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};

#[tokio::test]
async fn the_first_call_uses_the_connection_that_is_there() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/000000000000/OrdersQueue", listener.local_addr()?);
    let service = async {
        let (mut stream, _) = listener.accept().await?;
        for _ in 0..2 {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await?);
            }
            stream
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno")
                .await?;
        }
        std::io::Result::Ok(())
    };
    let calls = async {
        let connector = connector().map_err(std::io::Error::other)?;
        connect(&connector, &url).await;
        let request = HttpRequest::get(&url).map_err(std::io::Error::other)?;
        let answer = connector.call(request).await;
        answer.map_err(std::io::Error::other)
    };
    // A second connection would never be accepted.
    let (served, answer) = tokio::join!(service, calls);
    served?;
    assert_eq!(answer?.status().as_u16(), 404);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_costs_a_cold_start_one_second() -> Result<(), Box<dyn Error>>
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let connector = connector()?;
    let start = Instant::now();
    connect(&connector, &format!("http://{}", listener.local_addr()?)).await;
    assert_eq!(start.elapsed().as_secs(), 1);
    Ok(())
}
