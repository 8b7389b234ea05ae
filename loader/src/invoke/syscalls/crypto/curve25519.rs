//! Points of curve25519, in Edwards form and as Ristretto.
//!
//! Numbers of curves and operations, layouts and results are those of the runtime's crate
//! `rialo-s-curve25519`. A point has 32 bytes, compressed, and a scalar 32 bytes, less than the
//! order of the group.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;

use super::super::Returned;
use super::super::call::Call;
use super::{INVALID, SUCCESS};
use crate::invoke::guest::GuestMemory;
use crate::prices::{CurvePrices, Prices};

/// The most points that are multiplied at once.
const MAX_POINTS: u64 = 512;

/// A point or a scalar in the program's memory.
type Bytes = [u8; 32];

/// One of the two forms.
#[derive(Clone, Copy)]
enum Form {
    Edwards,
    Ristretto,
}

/// An operation on two inputs.
#[derive(Clone, Copy)]
enum Operation {
    Add,
    Subtract,
    Multiply,
}

impl Form {
    fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Edwards),
            1 => Some(Self::Ristretto),
            _ => None,
        }
    }

    fn prices(self, prices: &Prices) -> &CurvePrices {
        match self {
            Self::Edwards => &prices.edwards,
            Self::Ristretto => &prices.ristretto,
        }
    }
}

/// Returns 0 if the bytes are a point, otherwise 1.
pub(in super::super) fn validate_point<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let Some(form) = Form::from_number(call.argument(0)) else {
        return INVALID;
    };
    call.pay(form.prices(call.syscalls.prices()).validate)?;
    let point: Bytes = call.read_array(call.argument(1))?;
    let is_valid = match form {
        Form::Edwards => edwards(&point).is_some(),
        Form::Ristretto => ristretto(&point).is_some(),
    };
    if is_valid { SUCCESS } else { INVALID }
}

/// Adds or subtracts two points, or multiplies the scalar on the left with the point on the right.
pub(in super::super) fn group_operation<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let form = Form::from_number(call.argument(0));
    let operation = match call.argument(1) {
        0 => Some(Operation::Add),
        1 => Some(Operation::Subtract),
        2 => Some(Operation::Multiply),
        _ => None,
    };
    let (Some(form), Some(operation)) = (form, operation) else {
        return INVALID;
    };
    let prices = form.prices(call.syscalls.prices());
    call.pay(match operation {
        Operation::Add => prices.add,
        Operation::Subtract => prices.subtract,
        Operation::Multiply => prices.multiply,
    })?;
    let result = call.argument(4);
    call.check_writable(result, 32)?;
    let left: Bytes = call.read_array(call.argument(2))?;
    let right: Bytes = call.read_array(call.argument(3))?;
    let point = match form {
        Form::Edwards => on_edwards(operation, &left, &right),
        Form::Ristretto => on_ristretto(operation, &left, &right),
    };
    let Some(point) = point else {
        return INVALID;
    };
    call.write(result, &point)?;
    SUCCESS
}

/// Multiplies each scalar with its point, and adds the products.
pub(in super::super) fn multiscalar_multiply<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (form, count) = (Form::from_number(call.argument(0)), call.argument(3));
    let Some(form) = form.filter(|_| count <= MAX_POINTS) else {
        return INVALID;
    };
    let prices = form.prices(call.syscalls.prices());
    let further = prices
        .multiscalar_other
        .saturating_mul(count.saturating_sub(1));
    call.pay(prices.multiscalar_first.saturating_add(further))?;
    let result = call.argument(4);
    call.check_writable(result, 32)?;
    let scalars: Vec<Bytes> = call.read_list(call.argument(1), count)?;
    let points: Vec<Bytes> = call.read_list(call.argument(2), count)?;
    let scalars: Option<Vec<Scalar>> = scalars.iter().map(scalar).collect();
    let sum = scalars.and_then(|scalars| match form {
        Form::Edwards => {
            let points = points.iter().map(edwards);
            let sum = EdwardsPoint::optional_multiscalar_mul(scalars, points)?;
            Some(sum.compress().to_bytes())
        }
        Form::Ristretto => {
            let points = points.iter().map(ristretto);
            let sum = RistrettoPoint::optional_multiscalar_mul(scalars, points)?;
            Some(sum.compress().to_bytes())
        }
    });
    let Some(sum) = sum else {
        return INVALID;
    };
    call.write(result, &sum)?;
    SUCCESS
}

fn on_edwards(operation: Operation, left: &Bytes, right: &Bytes) -> Option<Bytes> {
    let right = edwards(right)?;
    let point = match operation {
        Operation::Add => edwards(left)? + right,
        Operation::Subtract => edwards(left)? - right,
        Operation::Multiply => scalar(left)? * right,
    };
    Some(point.compress().to_bytes())
}

fn on_ristretto(operation: Operation, left: &Bytes, right: &Bytes) -> Option<Bytes> {
    let right = ristretto(right)?;
    let point = match operation {
        Operation::Add => ristretto(left)? + right,
        Operation::Subtract => ristretto(left)? - right,
        Operation::Multiply => scalar(left)? * right,
    };
    Some(point.compress().to_bytes())
}

fn edwards(bytes: &Bytes) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress()
}

fn ristretto(bytes: &Bytes) -> Option<RistrettoPoint> {
    CompressedRistretto(*bytes).decompress()
}

fn scalar(bytes: &Bytes) -> Option<Scalar> {
    Scalar::from_canonical_bytes(*bytes).into_option()
}
