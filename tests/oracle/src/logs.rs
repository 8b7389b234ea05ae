//! The lines of programs that call each other. The runtime's context writes the lines at the begin
//! and at the end of each program; those of the gas and of the return data are written here in the
//! order of the runtime's crate `rialo-s-bpf-loader-program` 0.4.2, `execute`.

use rialo_s_account::AccountSharedData;
use rialo_s_instruction::Instruction;
use rialo_s_instruction::error::InstructionError;
use rialo_s_log_collector::ic_msg;
use rialo_s_program_runtime::invoke_context::InvokeContext;
use rialo_s_program_runtime::stable_log;
use rialo_s_pubkey::Pubkey;

use crate::cases::logs::{COUNT, LONG_COUNT, PROGRAMS, Step, case, decode, encode, long_case};
use crate::context::run;

/// The loader of the programs.
const LOADER: [u8; 32] = [6; 32];

pub fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for number in 0..COUNT {
        let logs = run_steps(&case(number));
        lines.push(format!("# {number}"));
        lines.extend(logs.iter().map(|line| short(line)));
    }
    lines
}

/// A line with the names `A`, `B` and `C` of the programs.
fn short(line: &str) -> String {
    let names = PROGRAMS.iter().zip(["<A>", "<B>", "<C>"]);
    names.fold(line.to_owned(), |line, (key, name)| {
        line.replace(&Pubkey::from(*key).to_string(), name)
    })
}

/// For each case, which of the program's texts are in the log, as a letter: `k` for kept, `t` for
/// the text whose place the line `Log truncated` has, `-` for left out.
pub fn long_lines() -> Vec<String> {
    let line = |number| {
        let lengths = long_case(number);
        let steps: Vec<Step> = lengths
            .iter()
            .map(|length| Step::Log(vec![b'x'; *length]))
            .collect();
        let logs = run_steps(&steps);
        letters(&lengths, &logs)
    };
    (0..LONG_COUNT).map(line).collect()
}

fn letters(lengths: &[usize], logs: &[String]) -> String {
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
}

fn run_steps(steps: &[Step]) -> Vec<String> {
    let loader = Pubkey::from(LOADER);
    let accounts = PROGRAMS.map(|key| {
        (
            Pubkey::from(key),
            AccountSharedData::new(1, 0, &loader).into(),
        )
    });
    let program = Pubkey::from(PROGRAMS[0]);
    run(
        accounts.to_vec(),
        &[],
        &program,
        &encode(steps),
        loader,
        execute,
    )
    .logs
}

/// Runs a program.
fn execute(context: &mut InvokeContext<'_, '_>) -> Result<(), InstructionError> {
    let instruction = context
        .transaction_context
        .get_current_instruction_context()?;
    let program = *instruction.get_last_program_key(context.transaction_context)?;
    let data = instruction.get_instruction_data().to_vec();
    let before = context.get_remaining();
    let result = steps(context, &program, decode(&data));
    let used = before - context.get_remaining();
    ic_msg!(
        context,
        "Program {} consumed {} of {} compute units",
        &program,
        used,
        before
    );
    let (_, returned) = context.transaction_context.get_return_data();
    if !returned.is_empty() {
        stable_log::program_return(&context.get_log_collector(), &program, returned);
    }
    result
}

fn steps(
    context: &mut InvokeContext<'_, '_>,
    program: &Pubkey,
    steps: Vec<Step>,
) -> Result<(), InstructionError> {
    for step in steps {
        context.consume_checked(1)?;
        let log = context.get_log_collector();
        match step {
            Step::Log(text) => {
                let text = String::from_utf8(text).expect("a text");
                stable_log::program_log(&log, &text);
            }
            Step::LogData(slices) => {
                let slices: Vec<&[u8]> = slices.iter().map(Vec::as_slice).collect();
                stable_log::program_data(&log, &slices);
            }
            Step::SetReturnData(data) => {
                context
                    .transaction_context
                    .set_return_data(*program, data)?;
            }
            Step::Call(callee, steps) => {
                let callee = Pubkey::from(PROGRAMS[callee]);
                let instruction = Instruction::new_with_bytes(callee, &encode(&steps), Vec::new());
                context.native_invoke(instruction.into(), &[])?;
            }
            Step::End(0) => return Ok(()),
            Step::End(status) => return Err(status.into()),
        }
    }
    Ok(())
}
