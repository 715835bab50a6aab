//! What the machine has, and which models are in memory.

use backend::{OperatorSnapshot, Resident};
use leptos::prelude::*;

use crate::format::{age, bytes};

/// The machine and the models in its memory.
pub(super) fn facts(snapshot: &OperatorSnapshot) -> AnyView {
    let unknown = || "not told by the system".to_owned();
    let of = |part: u64, all: u64| format!("{} of {}", bytes(part), bytes(all));
    let machine = snapshot.machine.as_ref();
    let mut rows = vec![
        ("Runs for", age(snapshot.taken_at - snapshot.started_at)),
        ("Computes on", machine.map_or_else(unknown, |machine| machine.device.as_str().to_owned())),
        ("Program's memory", snapshot.memory.map_or_else(unknown, |memory| of(memory.used, memory.total))),
        ("Free memory", machine.map_or_else(unknown, |machine| of(machine.free_bytes, machine.memory_bytes))),
    ];
    // A processor has the machine's memory.
    if let Some(card) = machine.filter(|machine| machine.device_bytes != machine.memory_bytes) {
        rows.push(("Free on the card", of(card.device_free_bytes, card.device_bytes)));
    }
    let disk = snapshot.disk.map_or_else(unknown, |disk| of(disk.free_bytes, disk.total_bytes));
    rows.push(("Free on the disk", disk));
    let rows = rows.into_iter().map(|(name, value)| row(name.to_owned(), value));
    view! {
        <h2>"The machine"</h2>
        <dl class="settings">{rows.collect_view()}</dl>
        <h2>"Models in memory"</h2>
        {residents(&snapshot.residents)}
    }
    .into_any()
}

fn residents(residents: &[Resident]) -> AnyView {
    if residents.is_empty() {
        return view! { <p class="lead">"None is loaded."</p> }.into_any();
    }
    let rows = residents.iter().map(|resident| {
        let said =
            if resident.n_bytes > 0 { bytes(resident.n_bytes) } else { "read anew for every run".to_owned() };
        row(resident.model.clone(), said)
    });
    view! { <dl class="settings">{rows.collect_view()}</dl> }.into_any()
}

fn row(name: String, value: String) -> AnyView {
    view! {
        <div class="setting">
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}
