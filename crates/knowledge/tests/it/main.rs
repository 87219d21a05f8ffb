//! Integration tests, one module per subject.

#[cfg(test)]
mod answer;
#[cfg(test)]
mod chunk;
#[cfg(test)]
mod embed;
#[cfg(test)]
mod extract;
#[cfg(test)]
mod index;
#[cfg(test)]
mod provider;
