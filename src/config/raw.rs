//! Two files as layers: a key is taken from the user's file where it stands there, else from the
//! defaults.

use crate::document::{Document, Field, Located, Section};
use crate::domain::{Finding, Source, Span};

/// The user's file over the defaults.
#[derive(Debug)]
pub(super) struct Layers<'a> {
    user: Option<Document<'a>>,
    standard: Document<'a>,
}

/// The sections of both layers that are still to be read.
#[derive(Debug)]
pub(super) struct Reading<'d> {
    layers: &'d Layers<'d>,
    user: Option<Section<'d>>,
    standard: Option<Section<'d>>,
    /// What was found so far, beyond what is no TOML.
    pub(super) findings: Vec<Finding>,
}

/// One section of both layers.
#[derive(Debug)]
pub(super) struct Group<'d> {
    user: Option<Section<'d>>,
    standard: Option<Section<'d>>,
}

/// A value and the file it comes from.
#[derive(Debug)]
pub(super) struct Value<'d, T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) span: Span,
    /// In which file.
    pub(super) source: &'d Source<'d>,
}

impl<T> Value<'_, T> {
    /// An error at this value.
    pub(super) fn error(
        &self,
        what: impl Into<String>,
        why: impl Into<String>,
        cure: impl Into<String>,
    ) -> Finding {
        self.source.error(&self.span, what, why, cure)
    }
}

impl<'a> Layers<'a> {
    fn documents(&self) -> impl Iterator<Item = &Document<'a>> {
        std::iter::once(&self.standard).chain(self.user.as_ref())
    }

    /// Parses both files.
    pub(super) fn read(user: Option<Source<'a>>, standard: Source<'a>) -> Self {
        Self { user: user.map(Document::parse), standard: Document::parse(standard) }
    }

    /// Begins to read.
    pub(super) fn begin(&self) -> Reading<'_> {
        let user = self.user.as_ref().and_then(|user| user.roots().next());
        let standard = self.standard.roots().next();
        Reading { layers: self, user, standard, findings: Vec::new() }
    }
}

impl<'d> Reading<'d> {
    /// Opens a section of both layers.
    pub(super) fn group(&mut self, name: &'static str) -> Group<'d> {
        let findings = &mut self.findings;
        let mut open = |root: &mut Option<Section<'d>>| {
            root.as_mut().and_then(|root| match root.table(name, findings) {
                Field::Given(section) => Some(section.value),
                Field::Missing | Field::Wrong => None,
            })
        };
        Group { user: open(&mut self.user), standard: open(&mut self.standard) }
    }

    /// Ends the reading: sections that nobody opened are findings, and so is what is no TOML.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut findings = self.findings;
        for root in [self.user, self.standard].into_iter().flatten() {
            root.finish(&mut findings);
        }
        for document in self.layers.documents() {
            let file = document.source().file();
            findings.retain(|found| found.at.file != file || !document.is_guess(found));
            findings.extend_from_slice(document.findings());
        }
        findings.sort_by(|a, b| (&a.at.file, a.at.span.start).cmp(&(&b.at.file, b.at.span.start)));
        findings
    }
}

impl<'d> Group<'d> {
    /// Asks both layers by `ask`. `None` when the value is of the wrong kind, or nowhere.
    fn take<T>(
        &mut self,
        mut ask: impl FnMut(&mut Section<'d>) -> Field<T>,
    ) -> Option<Value<'d, T>> {
        // The defaults are asked even when the user's file answers, so that each layer knows every
        // key.
        let answers = [&mut self.user, &mut self.standard]
            .map(|layer| layer.as_mut().map(|section| (ask(section), section.source())));
        for (field, source) in answers.into_iter().flatten() {
            match field {
                Field::Given(Located { value, span }) => {
                    return Some(Value { value, span, source });
                }
                Field::Wrong => return None,
                Field::Missing => {}
            }
        }
        None
    }

    pub(super) fn text(
        &mut self,
        key: &'static str,
        findings: &mut Vec<Finding>,
    ) -> Option<Value<'d, String>> {
        self.take(|section| section.text(key, findings))
    }

    pub(super) fn decimal(
        &mut self,
        key: &'static str,
        findings: &mut Vec<Finding>,
    ) -> Option<Value<'d, String>> {
        self.take(|section| section.decimal(key, findings))
    }

    pub(super) fn integer(
        &mut self,
        key: &'static str,
        findings: &mut Vec<Finding>,
    ) -> Option<Value<'d, i64>> {
        self.take(|section| section.integer(key, findings))
    }

    /// Ends the section: keys that nobody asked for are findings.
    pub(super) fn finish(self, findings: &mut Vec<Finding>) {
        for section in [self.user, self.standard].into_iter().flatten() {
            section.finish(findings);
        }
    }
}
