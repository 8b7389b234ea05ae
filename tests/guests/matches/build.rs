//! Writes the family: functions that dispatch in every way for which a compiler makes tables.
//!
//! Each arm has a different effect, so that the compiler cannot make a table of values instead of a
//! table of addresses, and so that no wrong jump gives the right result.

use std::fmt::Write;

/// How many arms the members of each shape have.
const SIZES: [u64; 16] = [2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 24, 32, 33, 48, 64];

/// Makes constants that look random and are the same in every build.
struct Constants(u64);

impl Constants {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    /// An expression over `x` that no other arm has.
    fn expression(&mut self) -> String {
        let (number, turn) = (self.next() | 1, 1 + self.next() % 62);
        match self.next() % 5 {
            0 => format!("x.wrapping_mul({number}).rotate_left({turn})"),
            1 => format!("(x ^ {number}).wrapping_add(x >> {turn})"),
            2 => format!("x.rotate_right({turn}).wrapping_sub({number})"),
            3 => format!("(x << {turn}) ^ x.wrapping_add({number})"),
            _ => format!("x.wrapping_add({number}).swap_bytes() ^ {turn}"),
        }
    }
}

/// Makes a function of a shape with this number of arms. Returns its text and its arms' keys.
type Shape = fn(&mut Constants, u64) -> (String, Vec<u64>);

const SHAPES: [(&str, Shape); 10] = [
    ("dense", dense),
    ("sparse", sparse),
    ("known", known),
    ("nested", nested),
    ("question", question),
    ("pointers", pointers),
    ("objects", objects),
    ("texts", texts),
    ("states", states),
    ("statuses", statuses),
];

fn dense_keys(size: u64) -> Vec<u64> {
    (0..size).collect()
}

fn arms(constants: &mut Constants, keys: &[u64]) -> String {
    keys.iter()
        .map(|key| format!("{key} => {},\n", constants.expression()))
        .collect()
}

/// `match key { 0 => …, 1 => …, _ => … }`
fn dense(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let keys = dense_keys(size);
    let arms = arms(constants, &keys);
    (format!("match key {{ {arms} _ => !x }}"), keys)
}

/// A match with gaps between the keys.
fn sparse(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let mut key = constants.next() % 5;
    let keys: Vec<u64> = (0..size)
        .map(|_| {
            key += 1 + constants.next() % 3;
            key
        })
        .collect();
    let arms = arms(constants, &keys);
    (format!("match key {{ {arms} _ => !x }}"), keys)
}

/// An enum of which every third variant carries a value, and a function that returns its variants.
fn enumeration(name: &str, size: u64) -> String {
    let mut variants = String::new();
    let mut made = String::new();
    for index in 0..size {
        if index % 3 == 1 {
            let _ = write!(variants, "V{index}(u32),");
            let _ = writeln!(made, "{index} => Err({name}::V{index}(x as u32)),");
        } else {
            let _ = write!(variants, "V{index},");
            let _ = writeln!(made, "{index} => Err({name}::V{index}),");
        }
    }
    format!(
        "enum {name} {{ {variants} }}
        fn make(key: u64, x: u64) -> Result<u64, {name}> {{ match key {{ {made} _ => Ok(!x) }} }}"
    )
}

/// Work between the choice of the next arm and the match, so that the compiler does not jump to the
/// arm directly.
fn work(variable: &str) -> String {
    format!(
        "{variable} = {variable}.wrapping_mul(0x9e37_79b9) ^ ({variable} >> 7);
        {variable} = ({variable} << 5) ^ {variable}.wrapping_add(11);
        {variable} = ({variable} >> 9) ^ ({variable} << 3);"
    )
}

/// Two matches in sequence: each arm of the first determines the arm of the second, which is often
/// the first one.
fn known(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let variants: String = (0..size).map(|index| format!("V{index},")).collect();
    let mut first = String::new();
    let mut second = String::new();
    for key in 0..size {
        let (one, other) = (constants.expression(), constants.expression());
        let variant = constants.next() % size * (constants.next() % 3).min(1);
        let _ = writeln!(first, "{key} => ({one}, Known::V{variant}),");
        let _ = writeln!(second, "Known::V{key} => {other},");
    }
    let text = format!(
        "enum Known {{ {variants} }}
        let (mut x, known) = match key {{
            {first}
            _ => (x, if x & 8 == 0 {{ Known::V1 }} else {{ Known::V{last} }}),
        }};
        {work}
        match known {{ {second} }}",
        last = size - 1,
        work = work("x"),
    );
    (text, dense_keys(size))
}

/// A match in each arm of a match.
fn nested(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let keys = dense_keys(size);
    let mut outer = String::new();
    for chunk in keys.chunks(5) {
        let inner = arms(constants, &(0..chunk.len() as u64).collect::<Vec<_>>());
        let _ = writeln!(
            outer,
            "{} => match key % 5 {{ {inner} _ => x ^ {} }},",
            chunk[0] / 5,
            constants.next()
        );
    }
    (format!("match key / 5 {{ {outer} _ => !x }}"), keys)
}

/// Errors that pass through `?` twice, and are converted on the way.
fn question(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let low = enumeration("Low", size);
    let mut high = String::new();
    let mut from = String::new();
    for index in 0..size {
        let _ = write!(high, "W{index}(u64),");
        let other = (index + 1) % size;
        let (pattern, value) = if index % 3 == 1 {
            ("(value)", "u64::from(value)".to_owned())
        } else {
            ("", constants.next().to_string())
        };
        let _ = writeln!(from, "Low::V{index}{pattern} => High::W{other}({value}),");
    }
    let arms: String = (0..size)
        .map(|index| {
            let expression = constants.expression();
            format!("High::W{index}(value) => ({expression}) ^ value,\n")
        })
        .collect();
    let text = format!(
        "{low}
        enum High {{ {high} }}
        impl From<Low> for High {{
            fn from(low: Low) -> Self {{ match low {{ {from} }} }}
        }}
        fn middle(key: u64, x: u64) -> Result<u64, High> {{ Ok(make(key, x)?.wrapping_mul(3)) }}
        fn outer(key: u64, x: u64) -> Result<u64, High> {{ Ok(middle(key, x)?.wrapping_add(5)) }}
        match outer(key, x) {{ Ok(value) => value, Err(high) => match high {{ {arms} }} }}"
    );
    (text, dense_keys(size))
}

/// A table of functions, called at a constant index and at a variable one.
fn pointers(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let mut functions = String::new();
    for index in 0..size {
        let expression = constants.expression();
        let _ = writeln!(
            functions,
            "#[inline(never)] fn f{index}(x: u64) -> u64 {{ {expression} }}"
        );
    }
    let names: Vec<String> = (0..size).map(|index| format!("f{index}")).collect();
    let names = names.join(", ");
    let text = format!(
        "{functions}
        const TABLE: [fn(u64) -> u64; {size}] = [{names}];
        static SAME: [fn(u64) -> u64; {size}] = [{names}];
        let first = match key {{ 0 => TABLE[0](x), 1 => SAME[{last}](x), _ => SAME[0](x) }};
        match (TABLE.get(key as usize), SAME.get(key as usize)) {{
            (Some(one), Some(two)) => one(x) ^ two(first),
            _ => !x,
        }}",
        last = size - 1
    );
    (text, dense_keys(size))
}

/// Trait objects, called at a constant index and at a variable one.
fn objects(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let mut types = String::new();
    for index in 0..size {
        let expression = constants.expression();
        let _ = writeln!(
            types,
            "struct T{index}; impl Object for T{index} {{ fn call(&self, x: u64) -> u64 {{ {expression} }} }}"
        );
    }
    let names: Vec<String> = (0..size).map(|index| format!("&T{index}")).collect();
    let text = format!(
        "trait Object: Sync {{ fn call(&self, x: u64) -> u64; }}
        {types}
        static TABLE: [&dyn Object; {size}] = [{}];
        let first = match key {{ 0 => TABLE[{last}].call(x), 1 => TABLE[0].call(x), _ => x }};
        match TABLE.get(key as usize) {{ Some(object) => object.call(first), None => !x }}",
        names.join(", "),
        last = size - 1
    );
    (text, dense_keys(size))
}

/// Texts from a match and from a table, of different lengths.
fn texts(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let text = |constants: &mut Constants| {
        let number = constants.next();
        let length = (1 + number % 11) as usize;
        format!("{number:012}")[..length].to_owned()
    };
    let arms: String = (0..size)
        .map(|key| format!("{key} => {:?},\n", text(constants)))
        .collect();
    let list: Vec<String> = (0..size)
        .map(|_| format!("{:?}", text(constants)))
        .collect();
    let text = format!(
        "let matched = match key {{ {arms} _ => \"none\" }};
        static TABLE: [&str; {size}] = [{}];
        let listed = match key {{ 0 => TABLE[{last}], _ => TABLE.get(key as usize).unwrap_or(&\"\") }};
        let bytes = matched.bytes().chain(listed.bytes());
        bytes.fold(x, |sum, byte| sum.rotate_left(7) ^ u64::from(byte))",
        list.join(", "),
        last = size - 1
    );
    (text, dense_keys(size))
}

/// A loop over a state; most states have a fixed successor. The loop ends, because each state leads
/// to a smaller one, down to 0.
fn states(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let mut arms = String::new();
    for state in 0..size {
        let expression = constants.expression();
        let mut before = || match state {
            0 => size,
            _ => (constants.next() % state).saturating_sub(constants.next() % 3),
        };
        let (one, other) = (before(), before());
        let next = match state % 4 {
            3 => format!("if x & 8 == 0 {{ State::S{one} }} else {{ State::S{other} }}"),
            _ => format!("State::S{one}"),
        };
        let _ = writeln!(
            arms,
            "State::S{state} => {{ x = {expression}; state = {next}; }}"
        );
    }
    let list = |end: &str| -> String { (0..=size).map(|state| format!("S{state}{end}")).collect() };
    let from: String = (0..size)
        .map(|state| format!("{state} => State::S{state},"))
        .collect();
    let text = format!(
        "#[derive(Clone, Copy)] enum State {{ {} }}
        let (mut x, mut state) = (x, match key {{ {from} _ => State::S{size} }});
        loop {{
            {work}
            match state {{ {arms} State::S{size} => return !x }}
        }}",
        list(","),
        work = work("x"),
    );
    (text, dense_keys(size))
}

/// Arms that succeed, that fail with a constant error, or that fail with another error, and a
/// status for each error.
fn statuses(constants: &mut Constants, size: u64) -> (String, Vec<u64>) {
    let enumeration = enumeration("Error", size);
    let (mut arms, mut statuses) = (String::new(), String::new());
    for index in 0..size {
        let value = constants.next() as u32;
        let arm = match index % 3 {
            0 => format!("{{ make(x % {}, *log)?; make(*log % 7, x)?; }}", size * 2),
            1 => format!("return Err(Error::V{index}({value})),"),
            _ => format!("*log = log.rotate_left({}) ^ {value},", 1 + value % 60),
        };
        let _ = writeln!(arms, "{index} => {arm}");
        let _ = match index % 3 {
            1 => writeln!(
                statuses,
                "Error::V{index}(0) => 1 << 32, Error::V{index}(value) => u64::from(value) + {index},"
            ),
            _ => writeln!(statuses, "Error::V{index} => {} << 32,", index + 2),
        };
    }
    let text = format!(
        "{enumeration}
        fn process(key: u64, x: u64, log: &mut u64) -> Result<(), Error> {{
            match key {{ {arms} _ => return Err(Error::V0) }}
            Ok(())
        }}
        #[inline(never)]
        fn status(key: u64, x: u64, log: &mut u64) -> u64 {{
            match process(key, x, log) {{
                Ok(()) => 0,
                Err(error) => match error {{ {statuses} }},
            }}
        }}
        let mut log = x;
        status(key, x, &mut log) ^ log ^ key"
    );
    (text, dense_keys(size))
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut constants = Constants(19);
    let (mut functions, mut members) = (String::new(), String::new());
    for (shape, write) in SHAPES {
        for size in SIZES {
            let (body, mut keys) = write(&mut constants, size);
            // Two keys that have no arm.
            keys.extend([keys[keys.len() - 1] + 1, u64::MAX]);
            let name = format!("{shape}_{size}");
            let _ = writeln!(
                functions,
                "#[inline(never)] fn {name}(key: u64, x: u64) -> u64 {{ {body} }}"
            );
            let _ = writeln!(
                members,
                "Member {{ name: {name:?}, keys: &{keys:?}, call: {name} }},"
            );
        }
    }
    let text = format!(
        "{functions}
        /// Every member of the family.
        pub static FAMILY: &[Member] = &[{members}];"
    );
    let folder = std::env::var_os("OUT_DIR").expect("the folder from cargo");
    std::fs::write(std::path::Path::new(&folder).join("family.rs"), text).expect("write the file");
}
