// What the page says, in English and Chinese, and how it writes numbers and times.

const KEPT = "dface-language";
const NAMES = { en: "English", zh: "中文" };

const WORDS = {
  // The frame.
  health: ["Health", "状态"], projections: ["Read models", "读模型"], events: ["Events", "事件"], jobs: ["Jobs", "任务"],
  map: ["Map", "地图"], shops: ["Shops", "商家"], people: ["People", "用户"], reports: ["Reports", "举报"],
  tokens: ["Tokens", "令牌"], audit: ["Audit log", "审计日志"], nodes: ["Nodes", "节点"], shop: ["Shop", "商家"],
  person: ["Person", "用户"], menu: ["Menu", "菜单"], skip: ["Skip to the content", "跳到内容"], sign_in: ["Sign in", "登录"],
  sign_in_how: ["With the token in DIR/admin-token, or one that an operator made. It is kept for this tab alone.", "使用 DIR/admin-token 中的令牌，或管理员创建的令牌。仅保存在此标签页中。"],
  sign_out: ["Sign out", "退出"], token: ["Token", "令牌"], nothing_open: ["This token opens no page here. It is for:", "此令牌不能打开任何页面。它用于："],
  yes: ["Yes", "确定"], cancel: ["Cancel", "取消"], close: ["Close", "关闭"], more: ["More", "更多"], nothing: ["Nothing here.", "暂无内容。"],
  table: ["Table", "表格"], acts: ["Actions", "操作"], search: ["Search", "搜索"], add: ["Add", "添加"], save: ["Save", "保存"],
  refresh: ["Refresh", "刷新"], name: ["Name", "名称"], id: ["Id", "编号"], state: ["State", "状态"], kind: ["Kind", "类型"],
  time: ["Time", "时间"], all: ["All", "全部"], what: ["What", "内容"], where: ["Where", "位置"], count: ["Count", "数量"],
  back: ["Back", "上一页"], forward: ["Forward", "下一页"], position: ["Position", "位置"], size: ["Size", "大小"],
  // Health.
  well: ["All is well", "一切正常"], trouble: ["Something needs a look", "需要处理"], node: ["This node", "本节点"],
  requests_a_second: ["Requests a second", "每秒请求"], events_a_second: ["Events a second", "每秒事件"],
  stanzas_a_second: ["Chat stanzas a second", "每秒聊天节"], jobs_a_second: ["Job tries a second", "每秒任务"],
  published_a_second: ["MQTT messages a second", "每秒 MQTT 消息"], http_connections: ["HTTP connections", "HTTP 连接"],
  chat_streams: ["Chat streams", "聊天连接"], lag: ["Lag, events", "延迟（事件）"], version: ["Version", "版本"],
  head: ["Newest position", "最新位置"], log_bytes: ["Log on disk", "日志大小"], store: ["Event store", "事件存储"],
  queue: ["Queue", "队列"], signals: ["Way to the other nodes", "节点通道"], away: ["Away", "不可用"], parked: ["Put aside", "已搁置"],
  // Read models.
  live: ["Live", "正常"], rebuilding: ["Rebuilding", "重建中"], failed: ["Failed", "失败"], rebuild: ["Rebuild", "重建"],
  rebuild_all: ["Rebuild all", "全部重建"], rebuild_begun: ["is being made anew", "正在重建"], progress: ["Progress", "进度"],
  rebuild_what: ["Each is made anew from the log; the old one serves until then.", "每个读模型将从日志重建，期间旧的继续服务。"],
  compare: ["Compare", "比较"], same: ["As the log says", "与日志一致"], differs: ["Not as the log says", "与日志不一致"],
  rows: ["Rows", "行"], equal: ["Equal", "相同"], only_serving: ["Only in the serving one", "仅当前有"],
  only_rebuilt: ["Only in the rebuilt one", "仅重建后有"], unequal: ["Different", "不同"], retry: ["Retry", "重试"],
  skip_event: ["Skip the event", "跳过事件"], skip_what: ["This read model leaves the event out for good. The reason is kept in the audit log.", "此读模型将永久跳过该事件，原因记入审计日志。"],
  reason: ["Reason", "原因"],
  // Events.
  type: ["Type", "类型"], stream: ["Stream", "流"], from_position: ["From position", "起始位置"], profile: ["Profile", "视图"],
  pseudonymous: ["Pseudonymous", "化名"], full: ["Full (recorded)", "完整（会被记录）"], follow: ["Follow", "跟踪"],
  following: ["Following the log…", "正在跟踪日志…"], stop: ["Stop", "停止"], stopped: ["Stopped", "已停止"], clear: ["Clear", "清空"],
  // Jobs.
  waiting: ["Waiting", "等待"], running: ["Running", "执行中"], dead: ["Dead", "失败"], picture: ["Picture", "图片"],
  coupon: ["Coupon", "优惠券"], weibo: ["Weibo", "微博"], push: ["Push", "推送"], attempts: ["Tries", "次数"], error: ["Error", "错误"],
  since: ["Since", "自"], drop: ["Drop", "丢弃"], drop_job: ["Drop this job", "丢弃此任务"], drop_what: ["It ends undone.", "任务将不再执行。"],
  pause: ["Pause", "暂停"], resume: ["Resume", "恢复"], paused: ["Paused", "已暂停"], goes: ["Goes on", "运行中"], not_over: ["Not over yet", "未完成的任务"],
  // The map.
  map_how: ["Map of shops: arrow keys move it, plus and minus zoom. The table below has the same.", "商家地图：方向键移动，加减号缩放。下表内容相同。"],
  shops_here: ["shops here", "个商家"], more_here: ["there are more; zoom in", "还有更多，请放大"], present: ["Here now", "当前人数"],
  checkins: ["Check-ins", "签到"], checked_in: ["Somebody checked in", "有人签到"], busiest: ["Busiest here", "最热门"],
  zoom_in: ["Zoom in", "放大"], zoom_out: ["Zoom out", "缩小"],
  // Shops.
  address: ["Address", "地址"], phone: ["Phone", "电话"], lat: ["Latitude (WGS-84)", "纬度（WGS-84）"], lng: ["Longitude (WGS-84)", "经度（WGS-84）"],
  place: ["Place", "坐标"], add_shop: ["Add a shop", "添加商家"], correct: ["Correct", "更正"], chat_account: ["Chat account", "聊天账号"],
  notice: ["Notice", "公告"], change_notice: ["Change the notice", "修改公告"], staff: ["Staff", "员工"], add_staff: ["Add staff", "添加员工"],
  remove_staff: ["Remove", "移除"], user_id: ["User id", "用户编号"], user_ids: ["User ids, with commas between", "用户编号，用逗号分隔"],
  has_left: ["has left", "已注销"], campaigns: ["Campaigns", "活动"], add_campaign: ["Add a campaign", "添加活动"], text: ["Text", "内容"],
  trigger: ["Given", "发放方式"], on_checkin: ["on check-in", "签到时"], on_shake: ["on a shake in the room", "摇一摇时"], on_manual: ["by hand", "手动"],
  from: ["From", "开始"], until: ["Until", "截止"], quota: ["Quota (empty: none)", "限额（空为不限）"], runs: ["Runs", "进行中"], over: ["Not now", "未进行"],
  delivered: ["Delivered", "已发放"], not_delivered: ["Not delivered", "未发放"], used: ["Used", "已使用"], send_coupon: ["Send a coupon", "发送优惠券"],
  room: ["Room", "聊天室"], older_messages: ["Older", "更早"], remove: ["Remove", "删除"], remove_message: ["Remove this message", "删除此消息"],
  remove_what: ["It goes out of every history and inbox. What a phone has already, it keeps.", "消息将从所有历史和收件箱中移除，手机上已收到的会保留。"],
  // People.
  active: ["Active", "正常"], suspended: ["Suspended", "已停用"], source: ["Import", "来源"], registered: ["Registered", "注册时间"],
  add_person: ["Add an account", "添加账号"], sign_in_name: ["Sign-in name", "登录名"], password: ["Password", "密码"], gender: ["Gender", "性别"],
  gender_0: ["Unset", "未设置"], gender_1: ["Male", "男"], gender_2: ["Female", "女"], suspend: ["Suspend", "停用"],
  suspend_what: ["Sessions and streams end, and nobody signs in to it until it is resumed.", "会话与连接将结束，恢复前无法登录。"],
  resume_what: ["Its owner may sign in again.", "用户可以重新登录。"], reset_password: ["Reset the password", "重置密码"],
  reset_what: ["A new password is made and shown once; all sessions end.", "将生成新密码并显示一次，所有会话结束。"],
  sessions: ["Sessions", "会话"], opened: ["Opened", "开始"], last_used: ["Last used", "最近使用"], end_sessions: ["Sign out everywhere", "全部退出"],
  end_what: ["All sessions of this person end.", "该用户的所有会话将结束。"], photos: ["Pictures", "图片"], album: ["Album", "相册"],
  remove_photo: ["Remove", "删除"], remove_photo_what: ["The picture goes for good.", "图片将被永久删除。"], not_ready: ["Not ready", "未就绪"],
  // Reports.
  close_report: ["Close", "结案"], closed: ["Closed", "已结案"], who_reported: ["By", "举报人"], who_is_reported: ["About", "被举报人"],
  no_reports: ["No open reports.", "没有未处理的举报。"],
  // Tokens.
  tokens_how: ["For programs and people that are not to have the token of the data directory.", "供不应持有数据目录令牌的程序和人员使用。"],
  add_token: ["Make a token", "创建令牌"], token_name: ["What for (a-z, 0-9, - _ .)", "用途（a-z、0-9、- _ .）"], scopes: ["Opens", "权限"],
  scope_admin: ["everything", "全部"], scope_moderate: ["people, reports, messages, pictures", "用户、举报、消息、图片"],
  scope_events: ["the event log, pseudonymous", "事件日志（化名）"], "scope_events:full": ["the event log, whole", "事件日志（完整）"],
  scope_metrics: ["metrics and health", "指标与状态"], made: ["Made", "创建时间"], holds: ["Holds", "有效"], ended: ["Ended", "已过期"],
  token_made: ["The token", "令牌"], token_once: ["It is shown this once. Copy it now.", "仅显示一次，请立即复制。"],
  delete_token: ["Delete", "删除"], delete_token_what: ["It opens nothing from now on.", "令牌立即失效。"],
  // Audit log and nodes.
  actor: ["Who", "操作者"], action: ["Action", "操作"], target: ["To what", "对象"], up: ["Up", "在线"], silent: ["Silent", "无响应"],
  lost: ["Lost", "已失联"], format: ["Format", "格式"], owns: ["Does", "职责"], heard: ["Heard", "最近响应"], this_one: ["this one", "本节点"],
  finalize: ["End the upgrade", "完成升级"], finalize_what: ["Afterwards an older version does not start on this log.", "完成后，旧版本不能再使用此日志。"],
  finalized: ["The upgrade is over.", "升级已完成。"],
};

// The six kinds of shop (docs/shop-kinds.md).
const KINDS = [["1", "Bars and events", "酒吧●活动"], ["2", "Coffee and tea", "咖啡●茶馆"], ["3", "Food and hotels", "餐饮●酒店"],
  ["4", "Leisure and entertainment", "休闲●娱乐"], ["5", "Shopping", "购物●广场"], ["6", "Buildings and communities", "楼宇●社区"]];

let spoken = sessionStorage.getItem(KEPT) ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export const language = () => spoken;
export const languages = () => Object.entries(NAMES);

export function speak(code) {
  spoken = code;
  sessionStorage.setItem(KEPT, code);
}

/** What the page says by that key; what another program named stays as it is. */
export const t = (key) => WORDS[key]?.[spoken === "zh" ? 1 : 0] ?? key;
export const kinds = () => KINDS.map(([number, english, chinese]) => [number, spoken === "zh" ? chinese : english]);

export const number = (value) => new Intl.NumberFormat(spoken).format(value);
export const percent = (value) => new Intl.NumberFormat(spoken, { style: "percent" }).format(value);
export const time = (moment) => new Intl.DateTimeFormat(spoken, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(moment));

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = value > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(value) / 10)) : 0;
  return `${new Intl.NumberFormat(spoken, { maximumFractionDigits: 1 }).format(value / 1024 ** step)} ${units[step]}`;
}
