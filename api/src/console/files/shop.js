// A shop: what it is, its notice, who works there, its campaigns with the coupon's picture, and what is said in its room.

import { get, picture, post, query, send } from "./api.js";
import { ask, attempt, button, card, field, h, mark, row, show as showDialog, shown, table, tell, when } from "./dom.js";
import { fields, filled } from "./shops.js";
import { kinds, number, t } from "./words.js";

const SIZE = 50;

/** The moment of a field `datetime-local`, as the server takes it. */
const moment = (local) => new Date(local).toISOString();
const inDays = (days) => {
  const then = new Date(Date.now() + days * 86_400_000);
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

async function addCampaign(shop) {
  const given = await ask(t("add_campaign"), {
    done: t("add"),
    fields: [
      field("name", t("name"), { required: true, maxlength: 40 }), field("text", t("text"), { kind: "textarea", required: true, maxlength: 200 }),
      field("trigger", t("trigger"), { options: ["checkin", "shake", "manual"].map((one) => [one, t(`on_${one}`)]) }),
      field("from", t("from"), { type: "datetime-local", required: true, value: inDays(0) }), field("until", t("until"), { type: "datetime-local", required: true, value: inDays(30) }),
      field("quota", t("quota"), { inputmode: "numeric" }),
    ],
  });
  if (!given) return;
  const quota = given.get("quota");
  await post("/admin/campaigns", {
    shop_id: shop, name: given.get("name"), text: given.get("text"), trigger: given.get("trigger"),
    from: moment(given.get("from")), until: moment(given.get("until")), ...(quota && { quota }),
  });
}

async function give(campaign) {
  const given = await ask(`${t("send_coupon")}: ${campaign.name}`, { done: t("send_coupon"), fields: [field("users", t("user_ids"), { required: true })] });
  if (!given) return;
  const sent = await post(`/admin/campaigns/${campaign.id}/send`, { user_ids: given.get("users") });
  const came = (one) => (one.delivered ? mark(t("delivered"), "good") : [mark(t("not_delivered"), "bad"), " ", one.error]);
  showDialog(t("send_coupon"), table([[t("person"), (one) => String(one.user_id)], [t("state"), came]], sent));
}

function campaignCard(campaign, again, signal) {
  const now = Date.now();
  const runs = Date.parse(campaign.from) <= now && now < Date.parse(campaign.until);
  const act = async () => {
    await give(campaign);
    await again();
  };
  return card(campaign.name,
    campaign.drawn
      ? shown(() => picture(`/admin/campaigns/${campaign.id}/picture`, signal), `${campaign.name}: ${campaign.text}`, signal)
      : h("p", { className: "soft" }, t("not_ready")),
    h("p", {}, campaign.text), h("p", {}, mark(runs ? t("runs") : t("over"), runs ? "good" : "soft"), " ", t(`on_${campaign.trigger}`)),
    h("p", { className: "soft" }, when(campaign.from), " – ", when(campaign.until)),
    h("p", {}, `${t("delivered")} ${number(campaign.delivered)}${campaign.quota === null ? "" : ` / ${number(campaign.quota)}`} · ${t("used")} ${number(campaign.used)}`),
    button("send_coupon", act));
}

function message(one, again, signal) {
  const remove = async () => {
    if (!await ask(t("remove_message"), { lines: [one.body, t("remove_what")], grave: true, done: t("remove") })) return;
    await send("DELETE", `/admin/messages/${one.id}`);
    await again();
  };
  const photo = one.kind === "photo" ? /^\[img:([0-9a-f]{24})\]/.exec(one.body)?.[1] : null;
  const who = one.name === null ? t("shop") : h("a", { href: `#/person/${one.from}` }, one.name);
  return h("div", { className: "said", data: { message: one.id } },
    h("div", {}, h("strong", {}, who), " ", h("span", { className: "soft" }, when(one.time)),
      h("div", {}, photo ? shown(() => picture(`/admin/photos/${photo}/picture`, signal), t("picture"), signal) : one.body)),
    button("remove", remove, { grave: true }));
}

export async function show(place, { signal, parts, may }) {
  const id = parts[0];
  const [about, notice, staff, campaigns, room] = Array.from({ length: 5 }, () => h("div"));
  const operator = may([]);

  const look = async () => {
    const shop = await get(`/admin/shops/${id}`, signal);
    const correct = async () => {
      const given = await ask(t("correct"), { fields: fields(shop), done: t("save") });
      if (!given) return;
      await send("PATCH", `/admin/shops/${id}`, filled(given));
      await look();
    };
    const account = async () => {
      const made = await post(`/admin/shops/${id}/account`);
      showDialog(t("chat_account"), h("p", {}, made.name), h("code", { className: "secret" }, made.password));
    };
    const lines = [["id", String(shop.id)], ["kind", kinds().find(([kind]) => kind === String(shop.t))?.[1]], ["address", shop.address], ["phone", shop.phone],
      ["place", `${shop.lat.toFixed(5)}, ${shop.lng.toFixed(5)}`], ["present", number(shop.present)], ["checkins", number(shop.checkins)]];
    about.replaceChildren(h("h1", {}, shop.name), table([[t("what"), ([name]) => t(name)], ["", ([, value]) => value]], lines),
      operator ? row(button("correct", correct), button("chat_account", account)) : "");
    drawNotice(shop);
    drawStaff(shop);
  };
  const drawNotice = (shop) => {
    const change = async () => {
      const given = await ask(t("notice"), { fields: [field("text", t("notice"), { kind: "textarea", maxlength: 1000, value: shop.notice })], done: t("save") });
      if (!given) return;
      await send("PUT", `/admin/shops/${id}/notice`, { text: given.get("text") });
      await look();
    };
    notice.replaceChildren(h("h2", {}, t("notice")), h("p", {}, shop.notice || t("nothing")), operator ? button("change_notice", change) : "");
  };
  const drawStaff = (shop) => {
    const add = async () => {
      const given = await ask(t("add_staff"), { fields: [field("user_id", t("user_id"), { required: true })], done: t("add") });
      if (!given) return;
      await post(`/admin/shops/${id}/staff`, { user_id: given.get("user_id") });
      await look();
    };
    const leave = async (one) => {
      if (!await ask(t("remove_staff"), { lines: [one.name ?? String(one.id)], grave: true, done: t("remove") })) return;
      await send("DELETE", `/admin/shops/${id}/staff/${one.id}`);
      await look();
    };
    staff.replaceChildren(h("h2", {}, t("staff")), table([[t("person"), (one) => h("a", { href: `#/person/${one.id}` }, one.name ?? t("has_left"))], [t("id"), (one) => String(one.id)],
      ...(operator ? [[t("acts"), (one) => button("remove_staff", () => leave(one), { grave: true })]] : [])], shop.staff), operator ? row(button("add_staff", add)) : "");
  };
  const lookCampaigns = async () => {
    const all = await get(query("/admin/campaigns", { shop_id: id, pcount: 100 }), signal);
    const add = async () => {
      await addCampaign(id);
      await lookCampaigns();
    };
    const cards = all.map((one) => campaignCard(one, lookCampaigns, signal));
    campaigns.replaceChildren(h("h2", {}, t("campaigns")),
      cards.length ? h("div", { className: "cards" }, cards) : h("p", { className: "empty" }, t("nothing")), row(button("add_campaign", add)));
  };
  const lookRoom = async () => {
    const said = h("div", { className: "card" });
    const older = button("older_messages", async () => fill(said.firstElementChild?.dataset.message));
    const fill = async (before) => {
      const page = await get(query(`/admin/shops/${id}/messages`, { before, pcount: SIZE }), signal);
      said.prepend(...page.map((one) => message(one, lookRoom, signal)));
      older.hidden = page.length < SIZE;
      if (!said.childElementCount) said.append(t("nothing"));
    };
    await fill();
    room.replaceChildren(h("h2", {}, t("room")), row(button("refresh", lookRoom), older), said);
  };

  place.replaceChildren(about, notice, staff, campaigns, room);
  await Promise.all([attempt(look), operator && attempt(lookCampaigns), attempt(lookRoom)]);
  if (!about.childElementCount) tell(t("nothing"), true);
}
