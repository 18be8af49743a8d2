//! Who is told (spec push.md, "recipients"): the members of the circle as they are now, less whoever caused it. Blocks count for nothing here.

use std::collections::BTreeSet;

use dface_domain::{
    envelope::LogPosition,
    ids::{GroupId, UserId},
    pushes::{Audience, PushKind, Told},
    reports::Actor,
};

use super::follow::Happened;
use crate::node::Node;

/// The circles on whose topics something is told.
pub(super) fn circles(node: &Node, one: &Happened) -> Vec<GroupId> {
    match one.told.to {
        Audience::User(_) => vec![],
        Audience::Circles | Audience::CirclesAnd(_) => shown_to(node, &one.told),
    }
}

/// Who is told on their own topic.
pub(super) fn alone(node: &Node, one: &Happened) -> Option<UserId> {
    match one.told.to {
        Audience::Circles => None,
        Audience::CirclesAnd(user) => Some(user),
        Audience::User(user) => is_for(node, &one.told, one.position, user).then_some(user),
    }
}

/// Whose devices are told.
pub(super) fn people(node: &Node, told: &Told, position: LogPosition) -> BTreeSet<UserId> {
    let view = node.views.circles.view();
    let mut people = BTreeSet::new();
    match told.to {
        Audience::User(user) => {
            people.extend(told.groups.iter().any(|group| view.is_member(*group, user)).then_some(user));
        }
        Audience::Circles | Audience::CirclesAnd(_) => {
            for circle in shown_to(node, told).iter().filter_map(|group| view.circle(*group)) {
                // A newcomer hears nothing of what was before.
                let members = circle.members.iter().filter(|(_, member)| member.position <= position);
                people.extend(members.map(|(user, _)| *user));
            }
        }
    }
    if let Audience::CirclesAnd(user) = told.to {
        people.insert(user);
    }
    if let Actor::User(by) = told.by {
        people.remove(&by);
    }
    people
}

/// Whether something is for somebody, as things are now.
pub(super) fn is_for(node: &Node, told: &Told, position: LogPosition, user: UserId) -> bool {
    people(node, told, position).contains(&user)
}

/// A member's position is for the circles that it is shared with; all else is for those in which it happened.
fn shown_to(node: &Node, told: &Told) -> Vec<GroupId> {
    let (PushKind::UserLocate, Actor::User(who)) = (told.kind, told.by) else { return told.groups.clone() };
    let view = node.views.circles.view();
    let shares = |group: &GroupId| {
        view.circle(*group).is_some_and(|circle| circle.members.get(&who).is_some_and(|member| member.shares))
    };
    told.groups.iter().copied().filter(shares).collect()
}
