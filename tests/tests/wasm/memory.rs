//! Two heaps and the host share one WebAssembly memory and grow it in any order. None touches
//! another's bytes.

use proptest::prelude::*;
use tests::guest;
use wasmi::{
    Engine, Instance, Linker as Imports, Memory, Module, Store, StoreLimits, StoreLimitsBuilder,
    TypedFunc,
};

const PAGE: usize = 64 * 1024;

/// Compiles the module once.
fn module() -> &'static [u8] {
    static MODULE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    MODULE.get_or_init(|| tests::wasm::build(&guest("wasm_heap"), &[]))
}

/// A range that a heap or the host owns, and the byte that fills it.
struct Owned {
    heap: u32,
    address: u32,
    size: u32,
    align: u32,
    fill: u8,
}

/// The owner number of the host; the heaps are 0 and 1.
const HOST: u32 = 2;

struct Machine {
    store: Store<StoreLimits>,
    memory: Memory,
    take: TypedFunc<(u32, u32, u32), u32>,
    take_zeroed: TypedFunc<(u32, u32, u32), u32>,
    give: TypedFunc<(u32, u32, u32, u32), ()>,
    resize: TypedFunc<(u32, u32, u32, u32, u32), u32>,
    sum: TypedFunc<u32, u64>,
    work: TypedFunc<u32, u64>,
    owned: Vec<Owned>,
    next_fill: u8,
}

impl Machine {
    fn new(most_pages: usize) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, module()).expect("a valid module");
        let limits = StoreLimitsBuilder::new()
            .memory_size(most_pages * PAGE)
            .build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        let instance: Instance = Imports::new(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("a module without imports");
        let memory = instance
            .get_memory(&store, "memory")
            .expect("the module's memory");
        Self {
            memory,
            take: instance.get_typed_func(&store, "take").expect("`take`"),
            take_zeroed: instance
                .get_typed_func(&store, "take_zeroed")
                .expect("`take_zeroed`"),
            give: instance.get_typed_func(&store, "give").expect("`give`"),
            resize: instance.get_typed_func(&store, "resize").expect("`resize`"),
            sum: instance.get_typed_func(&store, "sum").expect("`sum`"),
            work: instance.get_typed_func(&store, "work").expect("`work`"),
            store,
            owned: Vec::new(),
            next_fill: 1,
        }
    }

    fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    fn bytes(&self, address: u32, size: u32) -> &[u8] {
        &self.memory.data(&self.store)[address as usize..][..size as usize]
    }

    fn own(&mut self, heap: u32, address: u32, size: u32, align: u32) {
        let fill = self.next_fill;
        self.next_fill = fill.wrapping_add(1).max(1);
        self.memory.data_mut(&mut self.store)[address as usize..][..size as usize].fill(fill);
        self.owned.push(Owned {
            heap,
            address,
            size,
            align,
            fill,
        });
    }

    /// Checks that all ranges are unchanged, and that no two of them overlap.
    fn check(&self) {
        let mut ranges = Vec::new();
        for owned in &self.owned {
            assert_eq!(owned.address % owned.align, 0);
            let bytes = self.bytes(owned.address, owned.size);
            assert!(
                bytes.iter().all(|byte| *byte == owned.fill),
                "{} bytes of owner {} at {:#x} were changed",
                owned.size,
                owned.heap,
                owned.address
            );
            ranges.push((owned.address, owned.address + owned.size));
        }
        ranges.sort_unstable();
        for pair in ranges.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{:#x?} overlap", pair);
        }
    }

    /// The host adds pages and owns them.
    fn grow(&mut self, pages: u64) {
        if let Ok(before) = self.memory.grow(&mut self.store, pages) {
            let start = before as usize * PAGE;
            self.own(HOST, start as u32, (pages as usize * PAGE) as u32, 1);
        }
    }

    fn take(&mut self, heap: u32, size: u32, align: u32) -> bool {
        let address = self.take.call(&mut self.store, (heap, size, align));
        let address = address.expect("no trap");
        if address == 0 {
            return false;
        }
        self.own(heap, address, size, align);
        true
    }

    fn take_zeroed(&mut self, heap: u32, size: u32, align: u32) {
        let address = self.take_zeroed.call(&mut self.store, (heap, size, align));
        let address = address.expect("no trap");
        if address != 0 {
            assert!(self.bytes(address, size).iter().all(|byte| *byte == 0));
            self.own(heap, address, size, align);
        }
    }

    /// The number of a heap's block, by an index modulo the number of blocks.
    fn pick(&self, index: usize) -> Option<usize> {
        let blocks: Vec<usize> = (0..self.owned.len())
            .filter(|index| self.owned[*index].heap != HOST)
            .collect();
        (!blocks.is_empty()).then(|| blocks[index % blocks.len()])
    }

    fn give(&mut self, index: usize) {
        if let Some(index) = self.pick(index) {
            let owned = self.owned.swap_remove(index);
            let arguments = (owned.heap, owned.address, owned.size, owned.align);
            self.give.call(&mut self.store, arguments).expect("no trap");
        }
    }

    fn resize(&mut self, index: usize, new_size: u32) {
        let Some(index) = self.pick(index) else {
            return;
        };
        let owned = &self.owned[index];
        let (heap, align, fill) = (owned.heap, owned.align, owned.fill);
        let arguments = (heap, owned.address, owned.size, align, new_size);
        let kept = owned.size.min(new_size);
        let address = self.resize.call(&mut self.store, arguments);
        let address = address.expect("no trap");
        if address != 0 {
            let bytes = self.bytes(address, kept);
            assert!(bytes.iter().all(|byte| *byte == fill), "not kept");
            self.owned.swap_remove(index);
            self.own(heap, address, new_size, align);
        }
    }
}

#[test]
fn heap_grows_past_the_hosts_pages() {
    let mut machine = Machine::new(64);
    let before = machine.pages();
    assert!(machine.take(0, 100, 8));
    assert_eq!(machine.pages(), before + 1, "one page for the first block");
    machine.grow(2);
    // The block is longer than the rest of the first page, so it starts after the host's pages.
    assert!(machine.take(0, PAGE as u32, 8));
    let last = machine.owned.last().expect("just taken").address as usize;
    assert!(last >= (before as usize + 3) * PAGE);
    machine.check();
}

#[test]
fn no_page_before_the_first_block() {
    let mut machine = Machine::new(64);
    let before = machine.pages();
    assert_eq!(machine.sum.call(&mut machine.store, 0).expect("no trap"), 0);
    assert_eq!(machine.pages(), before);
}

#[test]
fn adjacent_pages_are_one_region() {
    let mut machine = Machine::new(64);
    let before = machine.pages();
    // Each block takes a little more than a third of a page. Together they take two pages, not
    // three.
    for _ in 0..5 {
        assert!(machine.take(1, 25_000, 1));
    }
    assert_eq!(machine.pages(), before + 2);
    machine.check();
}

#[test]
fn a_vector_grows_over_many_pages() {
    let mut machine = Machine::new(256);
    let count = 200_000;
    let sum = machine.sum.call(&mut machine.store, count);
    let count = u64::from(count);
    assert_eq!(sum.expect("no trap"), count * (count - 1) / 2);
}

#[test]
fn collections_match_the_host() {
    let mut machine = Machine::new(256);
    // The host's pages lie between the heap's, so the heap has several regions.
    for _ in 0..3 {
        let packed = machine.work.call(&mut machine.store, 8).expect("no trap");
        let text = machine.bytes((packed >> 32) as u32, packed as u32);
        assert_eq!(text, tests::collections::work(8).as_bytes());
        machine.grow(1);
        machine.check();
    }
}

#[test]
fn full_memory_fails_and_stays_usable() {
    let mut machine = Machine::new(24);
    for heap in [0, 1] {
        while machine.take(heap, 30_000, 8) {}
        assert!(!machine.take(heap, u32::MAX / 2, 8));
        machine.check();
    }
    // The first heap has all memory, and can reuse its newest block.
    let newest = machine.owned.len() - 1;
    machine.give(newest);
    assert!(machine.take(0, 30_000, 8), "the freed block is reused");
    machine.check();
}

#[derive(Clone, Debug)]
enum Step {
    Take(u32, u32, u32),
    TakeZeroed(u32, u32, u32),
    Give(usize),
    Resize(usize, u32),
    Grow(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let heap = || 0..2_u32;
    let size = || prop_oneof![6 => 1..200_u32, 2 => 1..40_000_u32, 1 => 1..200_000_u32];
    let align = || (0..9_u32).prop_map(|bits| 1 << bits);
    let step = prop_oneof![
        4 => (heap(), size(), align())
            .prop_map(|(heap, size, align)| Step::Take(heap, size, align)),
        2 => (heap(), size(), align())
            .prop_map(|(heap, size, align)| Step::TakeZeroed(heap, size, align)),
        3 => any::<usize>().prop_map(Step::Give),
        3 => (any::<usize>(), size()).prop_map(|(index, size)| Step::Resize(index, size)),
        1 => (1..3_u64).prop_map(Step::Grow),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn owners_do_not_touch_each_others_memory(most_pages in 18..120_usize, steps in steps()) {
        let mut machine = Machine::new(most_pages);
        for step in &steps {
            match *step {
                Step::Take(heap, size, align) => {
                    machine.take(heap, size, align);
                }
                Step::TakeZeroed(heap, size, align) => machine.take_zeroed(heap, size, align),
                Step::Give(index) => machine.give(index),
                Step::Resize(index, size) => machine.resize(index, size),
                Step::Grow(pages) => machine.grow(pages),
            }
            machine.check();
        }
    }
}
