//! Syntax to model. One compile reports all errors.

use syn::{Attribute, Data, DeriveInput, Expr, Fields, Path, UnOp, Variant};

use super::{ErrorEnum, ErrorVariant, parse};
use crate::validate::Errors;

const CODE_HELP: &str = "help: a code is a number from 0 to 4294967295";

/// Returns the enum that the syntax describes, or all its errors.
pub fn error_enum(input: &DeriveInput) -> syn::Result<ErrorEnum> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new(
            input.ident.span(),
            format!(
                "EP0030: `{}` is not an enum\nhelp: declare an enum with a variant for each error",
                input.ident
            ),
        ));
    };
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        errors.push(syn::Error::new_spanned(
            &input.generics,
            "EP0032: an error has no parameters\nhelp: a program returns only the number of its error",
        ));
    }
    if data.variants.is_empty() {
        errors.push(syn::Error::new(
            input.ident.span(),
            format!(
                "EP0031: `{}` has no variants\nhelp: declare a variant for each error",
                input.ident
            ),
        ));
    }
    let crate_path = errors.keep(crate_path(&input.attrs));
    let variants: Vec<Option<ErrorVariant>> = data
        .variants
        .iter()
        .map(|variant| error_variant(variant, &mut errors))
        .collect();
    errors.finish()?;
    Ok(ErrorEnum {
        crate_path: crate_path.unwrap_or_else(default_crate_path),
        name: input.ident.clone(),
        errors: variants.into_iter().flatten().collect(),
    })
}

/// The path of `entrypoint`, unless the author writes another.
pub fn default_crate_path() -> Path {
    syn::parse_quote!(::entrypoint)
}

/// Returns the path of `entrypoint`.
fn crate_path(attributes: &[Attribute]) -> syn::Result<Path> {
    match only(attributes, "program_error")? {
        Some(attribute) => parse::crate_path(attribute),
        None => Ok(default_crate_path()),
    }
}

fn error_variant(variant: &Variant, errors: &mut Errors) -> Option<ErrorVariant> {
    if !matches!(variant.fields, Fields::Unit) {
        errors.push(syn::Error::new_spanned(
            &variant.fields,
            format!(
                "EP0033: the error `{}` has fields\n\
                 help: remove them; a program returns only the number of its error, and can log \
                 the rest",
                variant.ident
            ),
        ));
    }
    let discriminant = variant
        .discriminant
        .as_ref()
        .map(|(_, number)| number.clone());
    if let Some(Expr::Unary(number)) = &discriminant
        && matches!(number.op, UnOp::Neg(_))
    {
        errors.push(syn::Error::new_spanned(
            number,
            format!(
                "EP0034: the code of `{}` is negative\n{CODE_HELP}",
                variant.ident
            ),
        ));
    }
    let text = match errors.keep(only(&variant.attrs, "error"))? {
        Some(attribute) => errors.keep(parse::text(attribute))?,
        None => parse::documentation(&variant.attrs),
    };
    if text.contains('\0') {
        errors.push(syn::Error::new(
            variant.ident.span(),
            format!(
                "EP0035: the text of `{}` has a zero byte\nhelp: remove it",
                variant.ident
            ),
        ));
    }
    Some(ErrorVariant {
        name: variant.ident.clone(),
        discriminant,
        text,
    })
}

/// Returns the attribute with this name, if there is one.
fn only<'a>(attributes: &'a [Attribute], name: &str) -> syn::Result<Option<&'a Attribute>> {
    let mut named = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name));
    let first = named.next();
    match named.next() {
        None => Ok(first),
        Some(second) => Err(syn::Error::new_spanned(
            second,
            format!("EP0036: the attribute `{name}` occurs twice\nhelp: remove one of the two"),
        )),
    }
}
