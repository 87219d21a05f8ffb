//! The extraction child: takes every right from itself, then reads one file.
//!
//! Runs in a process of its own, started by [`Extractor`](crate::extract::Extractor) through `amebo extract-worker`.
//! Nothing it does can be trusted once it has seen the file; what it may do at all is decided before, in `confine`.

mod confine;

use std::io::{self, Read, Write};
use std::process;

use crate::extract::pdf::Engine;
use crate::extract::protocol::{self, Reply, Request, Setup};
use crate::extract::{Kind, Refusal, delimited, detect, html, mail, markdown, office, plain};
use crate::passage::Extracted;

/// Stack of the reading thread in bytes; parsers recurse as deep as the document nests.
const STACK: usize = 128 << 20;

/// Reads one file from `input` and writes the answer to `output`, under the limits the first line of input names.
///
/// Once the file was read, the end of `input` means that nobody waits for the answer: the process then exits at once.
pub fn run<I, O>(mut input: I, mut output: O) -> io::Result<()>
where
    I: Read + Send + 'static,
    O: Write,
{
    let setup: Setup = protocol::read_line(&mut input)?;
    confine::limit(&setup)?;
    let engine = Engine::load(setup.pdfium.as_deref());
    confine::restrict(&engine)?;

    let request: Request = protocol::read_line(&mut input)?;
    if request.bytes > setup.input_bytes {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the file is larger than agreed",
        ));
    }
    let mut bytes = Vec::new();
    (&mut input).take(request.bytes).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != request.bytes {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    exit_when_abandoned(input)?;

    let reading = std::thread::Builder::new()
        .name("extract".to_owned())
        .stack_size(STACK)
        .spawn(move || extract(&engine, &bytes, request.name.as_deref()))?;
    let result = reading
        .join()
        .map_err(|_| io::Error::other("the parser panicked"))?;
    protocol::write_reply(&mut output, result.map_or_else(Reply::Refused, Reply::Extracted))
}

/// Watches `input` from a thread. The kernel's parent-death signal would not do: it is sent when the *thread* that started
/// the child ends, and threads of an asynchronous runtime come and go.
fn exit_when_abandoned(mut input: impl Read + Send + 'static) -> io::Result<()> {
    let watch = move || {
        let mut byte = [0];
        while !matches!(input.read(&mut byte), Ok(0) | Err(_)) {}
        process::exit(1);
    };
    std::thread::Builder::new()
        .name("watch".to_owned())
        .stack_size(256 << 10)
        .spawn(watch)
        .map(drop)
}

fn extract(engine: &Engine, bytes: &[u8], name: Option<&str>) -> Result<Extracted, Refusal> {
    match detect(bytes, name)? {
        Kind::Pdf => engine.extract(bytes),
        kind @ (Kind::Docx | Kind::Pptx | Kind::Xlsx | Kind::Doc | Kind::Ppt | Kind::Xls) => {
            office::extract(bytes, kind)
        }
        Kind::Html => html::extract(bytes),
        Kind::Markdown => markdown::extract(bytes),
        Kind::Csv => delimited::extract(bytes),
        Kind::Mail => mail::extract(bytes),
        Kind::Text => plain::extract(bytes),
    }
}
