//! The attributes of an enum of errors and of its variants.

use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path};

const TEXT_HELP: &str = "help: write what happened, as in `#[error(\"the offer has expired\")]`";
const CRATE_HELP: &str =
    "help: write the path of `entrypoint`, as in `#[program_error(crate = my_crate::entrypoint)]`";

/// Returns the path in `#[program_error(crate = path)]`.
pub fn crate_path(attribute: &Attribute) -> syn::Result<Path> {
    let mut path = None;
    let parsed = attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("crate") || path.is_some() {
            return Err(meta.error("expected `crate`, once"));
        }
        path = Some(meta.value()?.call(Path::parse_mod_style)?);
        Ok(())
    });
    let error = |error: &dyn std::fmt::Display| {
        syn::Error::new_spanned(attribute, format!("EP0038: {error}\n{CRATE_HELP}"))
    };
    parsed.map_err(|wrong| error(&wrong))?;
    path.ok_or_else(|| error(&"missing `crate`"))
}

/// Returns the text in `#[error("text")]`.
pub fn text(attribute: &Attribute) -> syn::Result<String> {
    attribute
        .parse_args::<LitStr>()
        .map(|text| text.value())
        .map_err(|_| {
            syn::Error::new_spanned(
                attribute,
                format!("EP0037: expected a text in parentheses\n{TEXT_HELP}"),
            )
        })
}

/// Returns the first paragraph of a documentation comment as one line, without its full stop.
pub fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    // A block comment is one attribute with several lines.
    let lines: Vec<String> = lines
        .flat_map(|text| {
            let lines = text.split('\n').map(|line| line.trim().to_owned());
            lines.collect::<Vec<_>>()
        })
        .collect();
    let paragraph = lines.iter().skip_while(|line| line.is_empty());
    let paragraph: Vec<&str> = paragraph
        .take_while(|line| !line.is_empty())
        .map(String::as_str)
        .collect();
    let text = paragraph.join(" ");
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
