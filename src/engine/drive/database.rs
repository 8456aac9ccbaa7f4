//! Which database an object is about, and whether it still is the same one.

use astra_devops::{databases::Database, id::DatabaseId};

use tokio::time::Instant;

use super::Drive;
use crate::{
    engine::{
        Kind, Problem, Reason,
        outcome::{Outcome, Stop},
        resolve::{self, Resolution},
    },
    status::Status,
};

impl<K: Kind> Drive<'_, K> {
    /// Finds the database that the spec means. An old reading is believed only if the database is there, takes changes and
    /// has the object's place: whatever else it says may be over.
    pub(super) async fn database(
        &self,
        desired: &K::Desired,
        status: &mut Status<K::Details>,
    ) -> Result<Database, Stop> {
        let reference = self.object.common().database;
        // This object's writes do not change databases, so they need no reading of their own.
        let mut all = self.organization.databases(self.oldest_databases_if_well()).await?;
        let recorded = status.database_id.as_deref();
        let is_well = |database: &Database| {
            resolve::unavailable(database).is_none() && K::place(desired, database, &status.details).is_ok()
        };
        if !matches!(resolve::resolve(reference, recorded, &*all), Resolution::Found(found) if is_well(found))
        {
            all = self.organization.databases(self.oldest_databases()).await?;
        }
        let database = match resolve::resolve(reference, recorded, &*all) {
            Resolution::Found(database) => database.clone(),
            Resolution::Problem(problem) => return Err(problem.into()),
            Resolution::Ask(id) => {
                let asked = self.organization.database(&id).await?;
                if asked.is_none() && status.organization_id.is_some() {
                    self.same_organization(status).await?;
                }
                return Err(resolve::missing(&id, asked.as_ref()).into());
            }
        };
        if let Some(before) = status.database_id.as_deref().filter(|before| *before != database.id.as_str()) {
            self.check_gone(before, status, &database).await?;
            *status = Status {
                last_handled_reconcile_at: status.last_handled_reconcile_at.take(),
                ..Status::default()
            };
        }
        status.organization_id = Some(database.org_id.clone()).filter(|id| !id.is_empty());
        status.database_id = Some(database.id.to_string());
        status.database_name = Some(database.info.name.clone());
        Ok(database)
    }

    /// The name belongs to another database than before: only if the old one is gone can nothing of it be owned any more.
    async fn check_gone(
        &self,
        before: &str,
        status: &Status<K::Details>,
        now: &Database,
    ) -> Result<(), Stop> {
        let other_organization = status.organization_id.as_ref().is_some_and(|id| *id != now.org_id);
        let old = match before.parse::<DatabaseId>() {
            Ok(id) if !other_organization => self.organization.database(&id).await?,
            _ => None,
        };
        if !other_organization && old.is_none_or(|old| old.status.is_terminal()) {
            return Ok(());
        }
        let message = format!(
            "spec.database was database {before} and now is {}, but the first one still exists, or is in another organization than the token; nothing is sent. Put the right token into the Secret, or make this object anew",
            now.id
        );
        Err(Problem::new(Reason::Conflict, message).into())
    }

    /// The database that a deleted object is about was said not to exist. Letting go of what is owned there cannot be taken
    /// back, so the list of all databases must lack it too.
    pub(super) async fn confirm_gone(&self, id: &DatabaseId) -> Result<(), Stop> {
        let all = self.organization.databases(Instant::now()).await?;
        if all.iter().any(|database| database.id == *id && !database.status.is_terminal()) {
            let message = format!(
                "Astra says that database {id} does not exist, and has it in its list of all databases; nothing is concluded from that"
            );
            return Err(Stop(Outcome::Failed(Problem::new(Reason::AstraUnavailable, message), None)));
        }
        Ok(())
    }

    /// A database is unknown to a token of another organization too: only in its own does that mean that it is gone.
    pub(super) async fn same_organization(&self, status: &Status<K::Details>) -> Result<(), Stop> {
        let current = self.organization.id().await?;
        match &status.organization_id {
            Some(before) if *before != current => Err(Problem::new(
                Reason::TokenRefused,
                format!(
                    "the token is of organization {current}, but this object is about a database of organization {before}; put a token of that one into the Secret, or annotate the object with astra.datastax.com/force-finalize=true to leave Astra as it is"
                ),
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// Where the object's business is in Astra, from its status: the spec may have become invalid.
    pub(super) fn recorded_place(
        &self,
        status: &Status<K::Details>,
    ) -> Result<(DatabaseId, K::Place), Problem> {
        let id = status.database_id.as_ref().or(self.object.common().database.id.as_ref());
        let id: Option<DatabaseId> = id.and_then(|id| id.parse().ok());
        let place = id.as_ref().and_then(|id| K::recorded_place(id, &status.details));
        id.zip(place).ok_or_else(|| {
            Problem::new(
                Reason::InvalidSpec,
                "the status says that this object owns something in Astra, but not where; remove it by hand, then annotate the object with astra.datastax.com/force-finalize=true",
            )
        })
    }
}
