//! The sealed form and the cipher.
//!
//! ```text
//! sealed:  format (1 byte, 1) | data key id (16) | nonce (12) | ciphertext | tag (16)
//! ```

use amebo_core::Environment;
use amebo_core::id::{DataKeyId, Id, OrganizationId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Error, Result};

const FORMAT: u8 = 1;
const KEY_ID: std::ops::Range<usize> = 1..17;
const NONCE: std::ops::Range<usize> = 17..17 + NONCE_LEN;
const HEADER: usize = NONCE.end;
const TAG: usize = 16;

/// A column that holds sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
}

impl SealedColumn {
    /// A column, by its names in the schema; list it in [`super::SEALED_COLUMNS`].
    pub const fn new(table: &'static str, column: &'static str) -> Self {
        Self { table, column }
    }

    /// The table's name.
    pub fn table(self) -> &'static str {
        self.table
    }

    /// The column's name.
    pub fn column(self) -> &'static str {
        self.column
    }

    /// The value of one row.
    pub fn row(self, id: impl Id) -> Place {
        Place {
            column: self,
            row: id.uuid(),
        }
    }
}

/// Where a sealed value belongs; it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) column: SealedColumn,
    pub(super) row: Uuid,
}

/// An organisation's key, ready for use.
pub struct DataKey {
    id: DataKeyId,
    organization: OrganizationId,
    key: LessSafeKey,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DataKey").field(&self.id).finish()
    }
}

impl DataKey {
    pub(super) fn new(id: DataKeyId, organization: OrganizationId, raw: &[u8; 32]) -> Result<Self> {
        Ok(Self {
            id,
            organization,
            key: cipher(raw)?,
        })
    }

    pub(super) fn id(&self) -> DataKeyId {
        self.id
    }

    /// Seals a value for one place.
    pub fn seal(&self, place: Place, plain: &[u8], environment: &Environment) -> Result<Vec<u8>> {
        let nonce = environment.bytes::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + TAG);
        sealed.push(FORMAT);
        sealed.extend_from_slice(self.id.uuid().as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                self.context(self.organization, place),
                &mut sealed[HEADER..],
            )
            .map_err(|_| Error::Cipher)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens the value of one place of `organization`.
    pub(super) fn open(
        &self,
        organization: OrganizationId,
        place: Place,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        if key_of(sealed)? != self.id.uuid() {
            return Err(Error::Refused);
        }
        let nonce = Nonce::try_assume_unique_for_key(&sealed[NONCE]).map_err(|_| Error::Malformed)?;
        let mut plain = Zeroizing::new(sealed[HEADER..].to_vec());
        let length = self
            .key
            .open_in_place(nonce, self.context(organization, place), &mut plain)
            .map_err(|_| Error::Refused)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// What a value is bound to. Every part has a fixed length or is preceded by it, so that no two places have the same form.
    fn context(&self, organization: OrganizationId, place: Place) -> Aad<Vec<u8>> {
        let mut context = Vec::with_capacity(160);
        context.push(FORMAT);
        context.extend_from_slice(organization.uuid().as_bytes());
        context.extend_from_slice(self.id.uuid().as_bytes());
        context.extend_from_slice(place.row.as_bytes());
        for name in [place.column.table, place.column.column] {
            context.extend_from_slice(&(name.len() as u64).to_be_bytes());
            context.extend_from_slice(name.as_bytes());
        }
        Aad::from(context)
    }
}

/// Prepares a key.
pub(super) fn cipher(raw: &[u8; 32]) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, raw)
        .map(LessSafeKey::new)
        .map_err(|_| Error::Cipher)
}

/// Under which data key a value is sealed.
pub(super) fn key_of(sealed: &[u8]) -> Result<Uuid> {
    if sealed.len() < HEADER + TAG || sealed[0] != FORMAT {
        return Err(Error::Malformed);
    }
    Uuid::from_slice(&sealed[KEY_ID]).map_err(|_| Error::Malformed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use amebo_core::ManualClock;
    use amebo_core::id::ProviderId;
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    const COLUMN: SealedColumn = SealedColumn::new("providers", "sealed_key");

    fn environment() -> Environment {
        Environment::replayable(Arc::new(ManualClock::starting_at(DateTime::UNIX_EPOCH)), 1)
    }

    fn key(environment: &Environment, organization: OrganizationId) -> DataKey {
        DataKey::new(environment.id(), organization, &environment.bytes()).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place_and_nowhere_else(plain in prop::collection::vec(any::<u8>(), 0..300)) {
            let environment = environment();
            let (mine, theirs): (OrganizationId, OrganizationId) = (environment.id(), environment.id());
            let (row, other): (ProviderId, ProviderId) = (environment.id(), environment.id());
            let key = key(&environment, mine);
            let place = COLUMN.row(row);
            let sealed = key.seal(place, &plain, &environment).unwrap();
            prop_assert_eq!(&*key.open(mine, place, &sealed).unwrap(), &plain);
            prop_assert!(matches!(key.open(theirs, place, &sealed), Err(Error::Refused)));
            for elsewhere in [
                COLUMN.row(other),
                SealedColumn::new("providers", "sealed_secret").row(row),
                SealedColumn::new("provider", "sealed_key").row(row),
                SealedColumn::new("providersseal", "ed_key").row(row),
            ] {
                prop_assert!(matches!(key.open(mine, elsewhere, &sealed), Err(Error::Refused)));
            }
        }

        #[test]
        fn any_altered_byte_is_refused(plain in prop::collection::vec(any::<u8>(), 0..64), by in 1u8..) {
            let environment = environment();
            let organization = environment.id();
            let key = key(&environment, organization);
            let place = COLUMN.row(environment.id::<ProviderId>());
            let sealed = key.seal(place, &plain, &environment).unwrap();
            for position in 0..sealed.len() {
                let mut altered = sealed.clone();
                altered[position] ^= by;
                prop_assert!(key.open(organization, place, &altered).is_err(), "byte {}", position);
            }
            for length in 0..sealed.len() {
                prop_assert!(key.open(organization, place, &sealed[..length]).is_err());
            }
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_alike() {
        let environment = environment();
        let key = key(&environment, environment.id());
        let place = COLUMN.row(environment.id::<ProviderId>());
        let first = key.seal(place, b"secret", &environment).unwrap();
        assert_ne!(first, key.seal(place, b"secret", &environment).unwrap());
    }
}
