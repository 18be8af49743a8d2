//! Chat by clients that others wrote (`dface_tests::clients`): slixmpp and `@xmpp/client`, the latter over TCP and WebSocket, each
//! through every scenario; `go-sendxmpp` and `profanity` as a person uses them.

mod archive;
mod place;
mod programs;
mod receipts;
mod resuming;
mod rooms;
mod signing_in;
mod talking;

/// Makes each scenario a test of each library.
macro_rules! with_each_library {
    ($($file:ident::$scenario:ident),+ $(,)?) => {
        mod slixmpp { $(#[test] fn $scenario() { super::$file::$scenario(dface_tests::clients::Library::Slixmpp); })+ }
        mod xmpp_js { $(#[test] fn $scenario() { super::$file::$scenario(dface_tests::clients::Library::XmppJs); })+ }
        mod xmpp_js_over_websocket {
            $(#[test] fn $scenario() { super::$file::$scenario(dface_tests::clients::Library::XmppJsWebSocket); })+
        }
    };
}

with_each_library!(
    signing_in::plain_signs_in_and_a_wrong_password_does_not,
    signing_in::the_password_may_carry_the_push_token,
    signing_in::scram_signs_in_where_it_is_set,
    signing_in::tls_begins_within_the_stream,
    rooms::a_room_echoes_what_is_said_under_the_accounts_name,
    rooms::who_joins_is_told_what_was_said,
    talking::what_was_missed_comes_once_at_the_next_sign_in,
    talking::other_resources_get_carbons,
    talking::who_is_blocked_reaches_nobody,
    receipts::all_three_dialects_move_the_state_and_reach_the_sender,
    resuming::a_cut_stream_is_resumed_without_gap_or_repeat,
    archive::ones_own_archive_is_paged,
    archive::a_rooms_archive_is_paged,
);
