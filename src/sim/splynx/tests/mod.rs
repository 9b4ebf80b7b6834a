//! The simulator as a strict client meets it: every test here fails when the simulator turns lenient.

mod faults;
