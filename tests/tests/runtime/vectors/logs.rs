//! The lines of programs that log, call each other and end.

use std::sync::Arc;

use caller::{Call, Script, Step as Do};
use loader::{Engine, Host, Invocation, Program, Pubkey, Runtime};
use tests::caller_guest;

use super::cases::logs::{COUNT, LONG_COUNT, PROGRAMS, Step, case, long_case};
use super::{compare, lines};

fn script(steps: &[Step]) -> Script {
    let mut script = Script::new();
    for step in steps {
        script = match step {
            Step::Log(text) => script.with_bytes(Do::Log, text),
            Step::LogData(slices) => script.log_data(slices),
            Step::SetReturnData(data) => script.with_bytes(Do::SetReturnData, data),
            Step::Call(program, steps) => script.call(&Call {
                program_id: Pubkey::new(PROGRAMS[*program]),
                data: self::script(steps).0,
                ..Call::default()
            }),
            Step::End(status) => script.step(Do::Return, [*status]),
        };
    }
    script
}

/// The program, and a host whose programs all are it.
fn program() -> (Program, Arc<dyn Host>) {
    let loader = caller_guest::loader(Engine::Interpreter).as_on(Runtime::Rialo);
    let file = caller_guest::file(loader::Target::Riscv64);
    let program = loader.load(&file).expect("a program");
    let host = PROGRAMS
        .iter()
        .fold(loader::Environment::new(), |host, key| {
            host.program(Pubkey::new(*key), program.clone())
        });
    (program, Arc::new(host))
}

fn run(program: &(Program, Arc<dyn Host>), steps: &[Step]) -> Vec<String> {
    let call = Invocation::as_on(Runtime::Rialo, Pubkey::new(PROGRAMS[0]));
    let call = call.data(script(steps).0).gas(1_400_000);
    let outcome = program.0.invoke_with(&program.1, &call);
    outcome.expect("an outcome").logs
}

/// A line without the figures of gas, which are those of another program on the runtime, and with
/// the names of the programs.
fn comparable(line: &str) -> String {
    let names = PROGRAMS.iter().zip(["<A>", "<B>", "<C>"]);
    let line = names.fold(line.to_owned(), |line, (key, name)| {
        line.replace(&Pubkey::new(*key).to_string(), name)
    });
    match line.split_once(" consumed ") {
        Some((program, figures)) if figures.ends_with(" compute units") => {
            format!("{program} consumed")
        }
        _ => line,
    }
}

/// Whether some status is one that the guest's own `ProgramError` cannot have.
fn has_foreign_status(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::End(status) => {
            let error = loader::ProgramError::from_status(*status);
            error.is_some_and(|error| error.status() != *status)
        }
        Step::Call(_, steps) => has_foreign_status(steps),
        _ => false,
    })
}

#[test]
fn lines_are_those_of_the_runtime() {
    let program = program();
    let lines = lines("logs.txt");
    // Each case begins with its number. All lines of a log begin with `Program`.
    let mut cases = lines.split(|line| line.starts_with("# "));
    assert_eq!(cases.next().map(<[String]>::len), Some(0));
    let cases: Vec<&[String]> = cases.collect();
    let mut compared = 0;
    assert_eq!(cases.len(), COUNT);
    for (number, expected) in cases.iter().enumerate() {
        let steps = case(number);
        if has_foreign_status(&steps) {
            continue;
        }
        let expected: Vec<String> = expected.iter().map(|line| comparable(line)).collect();
        let found: Vec<String> = run(&program, &steps)
            .iter()
            .map(|line| comparable(line))
            .collect();
        assert_eq!(found, expected, "case {number}: {steps:?}");
        compared += 1;
    }
    assert!(compared > 400, "{compared}");
}

/// Which texts are kept, if there are too many: `k` is kept, `t` is where `Log truncated` is.
#[test]
fn long_logs_are_truncated_where_the_runtime_does() {
    let program = program();
    compare("long_logs.txt", LONG_COUNT, |number| {
        let lengths = long_case(number);
        let steps: Vec<Step> = lengths
            .iter()
            .map(|length| Step::Log(vec![b'x'; *length]))
            .collect();
        // The guest logs a text of any length as it is.
        let logs = run(&program, &steps);
        let mut lines = logs[1..].iter().peekable();
        let letter = |length: &usize| {
            let whole = format!("Program log: {}", "x".repeat(*length));
            match lines.peek() {
                Some(line) if **line == whole => {
                    lines.next();
                    'k'
                }
                Some(line) if *line == "Log truncated" => {
                    lines.next();
                    't'
                }
                _ => '-',
            }
        };
        lengths.iter().map(letter).collect()
    });
}
