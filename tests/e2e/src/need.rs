//! The capabilities that stacks have and scenarios need.

/// A capability that a scenario needs of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Any API key is a client of its own.
    Clients,
    /// The queues can be read and written.
    Queue,
    /// The tables can be read and written.
    Tables,
    /// The functions can be invoked.
    Invoke,
    /// Outcomes are told on a bus that can be listened to.
    Events,
    /// The queue is as AWS documents it.
    ExactQueue,
    /// The gateway's own answers are the template's.
    GatewayResponses,
    /// Calls between the functions and the services can be seen and broken, and the functions' logs read.
    Faults,
    /// It is a `local`, so that others, with other parameters, stand for it as well.
    Parameters,
    /// No other scenario runs: this one uses the whole machine.
    Quiet,
}

impl Need {
    /// The reason for which a stack may lack it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Clients => "API keys are the stack's own; only `local` takes any",
            Self::Queue | Self::Tables | Self::Invoke => {
                "only the API is known: `.ci/stack-env` gives the rest"
            }
            Self::Events => "the stack has no OutcomeBus, or only its API is known",
            Self::ExactQueue => "LocalStack's queue isn't as AWS documents it",
            Self::GatewayResponses => {
                "LocalStack reads no gateway responses from the OpenAPI document that SAM makes"
            }
            Self::Faults => "only `local` lets calls to the services be seen and broken",
            Self::Quiet => "it would break every function of a stack that others use",
            Self::Parameters => "shown on a `local` of its own, with other parameters",
        }
    }
}
