// The rooms of the code as data: what each is for, which rooms it may import, and which of its files other rooms may
// import (its public face). The order of the rows is the order of the floors, the ground first. tests/rooms_test.ts
// holds the code to it; docs/ARCHITECTURE.md has its tables and its picture from here (`deno task tables`).

/** One folder of source files with one job. */
export interface Room {
  /** Its job in one sentence. */
  readonly says: string;
  /** Rooms below it that its files may import, besides every public face of `shared/` where it is not itself there. */
  readonly uses: readonly string[];
  /** Files, without `.ts`, that other rooms may import; "all" for a floor that others stand on. */
  readonly face: readonly string[] | "all";
}

/** Every room, in the order of the floors. `server` and `client` are the two main.ts alone. */
export const ROOMS: Readonly<Record<string, Room>> = {
  "shared/platform/deno": {
    says:
      "The seams of the platform as Deno has them: ciphers, curves, hashes, bytes as text, workers.",
    uses: [],
    face: "all",
  },
  "shared/platform/web": {
    says: "The same seams in a browser; the import map of the page's build chooses this twin.",
    uses: [],
    face: "all",
  },
  "shared/base": {
    says:
      "What every file may use: errors by fault, bytes, base64, limits that both sides share, sanitizing of text, the version.",
    uses: ["shared/platform/deno"],
    face: "all",
  },
  "shared/crypto": {
    says:
      "Cryptographic primitives over the platform: AEAD, HKDF, Ed25519 identity, ML-KEM, RSA-OAEP, X25519, fingerprints.",
    uses: ["shared/platform/deno", "shared/base"],
    face: "all",
  },
  "shared/text": {
    says:
      "Rules for texts that people type and see: names and lookalikes, invite links, safe file names, durations, sizes.",
    uses: ["shared/base", "shared/crypto"],
    face: [
      "byte_size",
      "closest",
      "columns",
      "download_name",
      "duration",
      "host_and_port",
      "invite_link",
      "names",
      "pin_text",
      "reaction",
      "secret_text",
    ],
  },
  "shared/messages": {
    says:
      "The messages: tables of v1, v2 and sealed rooms, their strict codec, and texts derived from them.",
    uses: ["shared/platform/deno", "shared/base", "shared/crypto", "shared/text"],
    face: "all",
  },
  "shared/channel": {
    says:
      "How messages are protected in transit: frames, the v1 envelope, the v2 handshake, key schedule, records and batches.",
    uses: ["shared/base", "shared/crypto"],
    face: [
      "envelope_v1",
      "frame",
      "handshake",
      "handshake_error",
      "handshake_messages",
      "record_batch",
      "record_cipher",
    ],
  },
  "shared/websocket": {
    says:
      "WebSocket (RFC 6455) without sockets: frames, close codes, the opening handshake, and as much of HTTP as that needs.",
    uses: ["shared/base"],
    face: ["close_code", "frame", "frame_reader", "http_head", "upgrade"],
  },
  "shared/cli": {
    says:
      "Command lines as tables: options, values, programs, help, completions, standard streams, and how an error is printed.",
    uses: ["shared/base", "shared/text"],
    face: [
      "command_line",
      "completion_script",
      "completions_command",
      "environment",
      "environment_check",
      "error_report",
      "option_values",
      "program",
      "program_variables",
      "write_all",
    ],
  },
  "server/config": {
    says:
      "What the operator configures: options, variables, certificate, identity, tokens, files that SIGHUP reads again; the server's own limits.",
    uses: [],
    face: [
      "access_tokens",
      "admin_address",
      "admin_token",
      "host_options",
      "identity_file",
      "limits",
      "reloadable_files",
      "secret_file",
      "server_options",
      "settings_file",
      "tls_files",
    ],
  },
  "server/telemetry": {
    says: "What the server reports: log, counters, Prometheus page, notifications to systemd.",
    uses: ["server/config"],
    face: [
      "counters",
      "log",
      "metrics",
      "prometheus_page",
      "prometheus_reader",
      "repeat_log",
      "systemd_notify",
    ],
  },
  "server/limits": {
    says:
      "How much one client, address or network may use: rates, request budget, connection slots, room quota, bans.",
    uses: ["server/config"],
    face: "all",
  },
  "server/net": {
    says:
      "Sockets: listening, TLS, one accepted connection as bytes in and out. No other room opens sockets for clients.",
    uses: ["server/config", "server/limits"],
    face: ["connection", "file_handles", "listen", "listen_anywhere", "listen_error", "listener"],
  },
  "server/delivery": {
    says:
      "Events on their way out: encoded once for each protocol, queued in a bounded outbox, sealed and written in turns.",
    uses: ["server/config", "server/limits", "server/net"],
    face: [
      "burst",
      "encoded_event",
      "event_writer",
      "flush_turn",
      "short_cipher",
      "sodium",
      "turn_time",
      "v1_translation",
    ],
  },
  "server/room": {
    says: "One plain room: members, names, order (the bus), recent events, rules set by its maker.",
    uses: ["server/config", "server/limits", "server/delivery"],
    face: [
      "backlog",
      "bus",
      "memory_bus",
      "recent_events",
      "room",
      "room_rules",
      "room_snapshot",
      "room_view",
    ],
  },
  "server/sealed": {
    says:
      "Sealed rooms: seats, order of commits, votes, joins, evictions. The relay orders what it cannot read.",
    uses: ["server/config", "server/telemetry", "server/limits", "server/delivery"],
    face: ["attachments", "room_contract", "sealed_rooms", "session_adapter"],
  },
  "server/cluster": {
    says:
      "Several servers as one: shared logs over a backplane, messages between servers, homes of sealed rooms.",
    uses: ["server/delivery", "server/room", "server/sealed"],
    face: [
      "backplane",
      "client_numbers",
      "cluster",
      "cluster_contract",
      "cluster_key",
      "cluster_messages",
      "server_places",
      "shared_log",
    ],
  },
  "server/nats": {
    says:
      "NATS as the backplane of a cluster: how it is reached, watched and checked, the stream of logs, joining.",
    uses: ["server/config", "server/telemetry", "server/cluster"],
    face: ["join_cluster"],
  },
  "server/session": {
    says:
      "One client: memberships, held sessions, mailbox, file transfers, and the interface of what it needs from the relay.",
    uses: [
      "server/config",
      "server/telemetry",
      "server/limits",
      "server/delivery",
      "server/room",
      "server/sealed",
      "server/cluster",
    ],
    face: [
      "expelled_tickets",
      "file_transfers",
      "held_sessions",
      "membership",
      "room_access",
      "session",
      "session_host",
      "session_snapshot",
      "session_ticket",
    ],
  },
  "server/handlers": {
    says:
      "What each request does: one dispatch for order, repeats and rates; one file for each theme.",
    uses: ["server/limits", "server/room", "server/session"],
    face: ["dispatch"],
  },
  "server/relay": {
    says:
      "Who is connected and which rooms there are: access, handshakes and their worker, room registry, heartbeat, drain, succession.",
    uses: [
      "server/config",
      "server/telemetry",
      "server/limits",
      "server/net",
      "server/delivery",
      "server/room",
      "server/sealed",
      "server/cluster",
      "server/session",
    ],
    face: ["access", "hand_over_state", "pass_on", "relay", "succession"],
  },
  "server/web": {
    says:
      "The door of the port: WebSocket upgrades, the page and origins of pages, and the client's address behind a trusted proxy.",
    uses: ["server/config", "server/limits", "server/net"],
    face: ["door", "page", "page_answer", "page_policy", "web_refusal"],
  },
  "server/connection": {
    says:
      "From the first byte to a session: protocol detection, login of v1 and v2, refusals, the read loop.",
    uses: [
      "server/config",
      "server/telemetry",
      "server/limits",
      "server/net",
      "server/delivery",
      "server/room",
      "server/cluster",
      "server/session",
      "server/handlers",
      "server/relay",
      "server/web",
    ],
    face: ["serve_connection", "sodium_kem"],
  },
  "server/admin": {
    says:
      "The admin side of a running server: HTTP routes, admin token, admin commands, hand-over, commands for other servers.",
    uses: [
      "server/config",
      "server/telemetry",
      "server/limits",
      "server/net",
      "server/room",
      "server/cluster",
      "server/session",
      "server/relay",
    ],
    face: [
      "admin_actions",
      "admin_commands",
      "cluster_host",
      "hand_over_auth",
      "http_server",
      "paths",
      "routes",
      "token_gate",
    ],
  },
  "server/commands": {
    says: "The commands of the executable: serve, check, health, top, admin, keep.",
    uses: [
      "server/config",
      "server/telemetry",
      "server/limits",
      "server/net",
      "server/delivery",
      "server/cluster",
      "server/nats",
      "server/relay",
      "server/web",
      "server/connection",
      "server/admin",
    ],
    face: [
      "admin",
      "admin_client",
      "check",
      "command_io",
      "health_and_top",
      "keep",
      "program",
      "serve",
      "served_relay",
      "take_over",
    ],
  },
  "server/host": {
    says: "`cmdchat-server host`: this machine's addresses, the links to them, and who is in.",
    uses: ["server/config", "server/net", "server/commands"],
    face: ["own_addresses", "run_host"],
  },
  "server": {
    says: "From the command line to a command to an exit code, nothing else.",
    uses: ["server/config", "server/web", "server/commands", "server/host"],
    face: [],
  },
  "client/base": {
    says: "Clock, exit codes, standard output, the client's own limits and ids.",
    uses: [],
    face: "all",
  },
  "client/files": {
    says:
      "The user's disk: opening and locking, typed and dropped paths, completing paths, saving a received file.",
    uses: [],
    face: [
      "dropped_file",
      "file_access",
      "part_file",
      "path_completion",
      "save_download",
      "tar_header",
      "trusted_file",
      "typed_path",
    ],
  },
  "client/config": {
    says:
      "What the user configures: option tables, settings file and profiles, secrets, chat settings, the program as data.",
    uses: ["client/base", "client/files"],
    face: [
      "chat_settings",
      "client_options",
      "connection_options",
      "doctor_options",
      "headless_options",
      "program",
      "proxy_url",
      "read_call",
      "read_options",
      "read_secrets",
      "settings_file",
    ],
  },
  "client/net": {
    says:
      "The client's sockets: connecting, WebSocket, proxies, TLS trust, known servers, connection faults as helpful messages.",
    uses: ["client/files", "client/config"],
    face: [
      "connection",
      "connection_faults",
      "endpoint",
      "host_addresses",
      "known_servers",
      "other_servers",
      "proxy_choice",
      "tls_probe",
      "tls_trust",
      "tunnel",
    ],
  },
  "client/session": {
    says:
      "One session with a server, v1 or v2: dialing, who gets the token, heartbeat, reconnecting, the ledger of requests.",
    uses: ["client/base", "client/net"],
    face: [
      "dialer",
      "rate_pacer",
      "reconnect",
      "refusal",
      "request_ledger",
      "server_gate",
      "session",
      "session_v2",
    ],
  },
  "client/mls": {
    says:
      "The group of a sealed room (RFC 9420): library, cipher suite, strict parsing, the client's own rules, credentials, envelope, order.",
    uses: [],
    face: [
      "cipher_suite",
      "commit_rules",
      "envelope",
      "group",
      "group_outcome",
      "joining",
      "payload",
      "room_code",
      "room_keys",
    ],
  },
  "client/sealed_engine": {
    says:
      "A member of a sealed room as a state machine, in a worker without permissions; plain data in and out.",
    uses: ["client/base", "client/mls"],
    face: ["worker", "engine", "engine_protocol", "people"],
  },
  "client/rooms": {
    says:
      "What the client knows of its rooms: members, recent messages, who is typing, who is ignored.",
    uses: ["client/base", "client/sealed_engine"],
    face: [
      "bans",
      "direct_messages",
      "ignored_names",
      "joined_room",
      "joined_rooms",
      "reactions",
      "roster",
      "typing",
    ],
  },
  "client/transfer_base": {
    says:
      "What files in both directions have in common: the turns of a transfer, its window, what it needs of the chat.",
    uses: ["client/base", "client/session", "client/rooms"],
    face: "all",
  },
  "client/uploads": {
    says: "Files that this client offers: read, served to those who ask, and what became of them.",
    uses: ["client/base", "client/files", "client/transfer_base"],
    face: "all",
  },
  "client/transfers": {
    says:
      "Files in both directions: offers, chunks, resumption, deadlines. It makes no text for people.",
    uses: [
      "client/base",
      "client/files",
      "client/session",
      "client/rooms",
      "client/transfer_base",
      "client/uploads",
    ],
    face: ["local_disk", "transfers"],
  },
  "client/history": {
    says: "The encrypted local history: format, appending, scanning, importing older files.",
    uses: ["client/files"],
    face: ["history", "history_entry", "key_stretching"],
  },
  "client/people": {
    says:
      "People who are known again: the user's device key and its file, whose keys the user knows, proofs in plain rooms.",
    uses: [
      "client/base",
      "client/files",
      "client/session",
      "client/mls",
      "client/sealed_engine",
      "client/rooms",
      "client/history",
    ],
    face: "all",
  },
  "client/terminal": {
    says: "The terminal as a device: bytes to keys, painting, width, modes, colors.",
    uses: [],
    face: "all",
  },
  "client/editing": {
    says:
      "The line that a person types: its text, rows, keys, bursts of keys, completion, earlier lines.",
    uses: ["client/terminal"],
    face: [
      "completion",
      "emoji",
      "input_aids",
      "input_flow",
      "input_history",
      "key_bindings",
      "key_burst",
      "line_editor",
      "questions",
      "vi_keys",
    ],
  },
  "client/console": {
    says: "The user interface that the chat sees: a prompt with line editing, or plain lines.",
    uses: ["client/terminal", "client/editing"],
    face: [
      "console",
      "external_editor",
      "line_console",
      "look_back",
      "plain_prompt",
      "prompt",
      "status_fit",
    ],
  },
  "client/render": {
    says:
      "Lines as rows of spans: rich, minimal, JSON; and painted. Peers' text is made safe here and nowhere else.",
    uses: ["client/transfer_base", "client/base", "client/terminal"],
    face: ["json", "minimal", "paint", "rich", "shown", "spans", "text", "transfer_text", "wrap"],
  },
  "client/output": {
    says:
      "What is shown and when: settings, deferred lines, folding, progress bars, status line, bell, history.",
    uses: [
      "client/transfer_base",
      "client/base",
      "client/files",
      "client/config",
      "client/rooms",
      "client/history",
      "client/terminal",
      "client/console",
      "client/render",
    ],
    face: ["appearance", "attention", "output", "status_line"],
  },
  "client/events": {
    says:
      "What each event of the server does to the chat, and the part of the chat that handlers may use.",
    uses: [
      "client/base",
      "client/session",
      "client/people",
      "client/rooms",
      "client/transfers",
      "client/output",
    ],
    face: ["chat_context", "dispatch", "room_handlers", "show_event"],
  },
  "client/sealed": {
    says:
      "Sealed rooms as rooms of the chat: the engine's events become room events, requests go to the engine.",
    uses: [
      "client/base",
      "client/session",
      "client/sealed_engine",
      "client/rooms",
      "client/people",
      "client/render",
      "client/events",
    ],
    face: ["alarm", "sealed_room", "sealed_rooms"],
  },
  "client/chat": {
    says: "One user's chat with one server, over as many sessions as it takes.",
    uses: [
      "client/base",
      "client/session",
      "client/sealed_engine",
      "client/rooms",
      "client/transfer_base",
      "client/transfers",
      "client/people",
      "client/terminal",
      "client/console",
      "client/render",
      "client/output",
      "client/events",
      "client/sealed",
    ],
    face: ["chat", "chat_options"],
  },
  "client/commands": {
    says:
      "Slash commands: one row for each; dispatch, completion, which person and which room the user means.",
    uses: [
      "client/base",
      "client/config",
      "client/session",
      "client/sealed_engine",
      "client/rooms",
      "client/transfer_base",
      "client/people",
      "client/terminal",
      "client/editing",
      "client/render",
      "client/events",
      "client/sealed",
      "client/chat",
    ],
    face: [
      "aliases",
      "file_commands",
      "invite_commands",
      "command",
      "completer",
      "dispatcher",
      "screen_commands",
      "targets",
    ],
  },
  "client/app": {
    says: "Builds a chat for a person or a pipe, runs it, and closes it.",
    uses: [
      "client/base",
      "client/files",
      "client/config",
      "client/net",
      "client/session",
      "client/transfers",
      "client/history",
      "client/people",
      "client/terminal",
      "client/editing",
      "client/console",
      "client/render",
      "client/output",
      "client/chat",
      "client/commands",
    ],
    face: ["terminal_input", "patience", "pipe_input", "run_chat", "script"],
  },
  "client/headless": {
    says: "Commands without a chat screen: send, recv, send-file, recv-file, --json, history FILE.",
    uses: [
      "client/uploads",
      "client/transfer_base",
      "client/base",
      "client/files",
      "client/config",
      "client/session",
      "client/rooms",
      "client/history",
      "client/people",
      "client/terminal",
      "client/console",
      "client/render",
      "client/output",
      "client/chat",
      "client/app",
    ],
    face: ["json_chat", "json_requests", "keygen", "print_history", "run_script", "show_history"],
  },
  "client/doctor": {
    says: "`cmdchat-client doctor`: checks everything that a chat needs.",
    uses: [
      "client/base",
      "client/files",
      "client/config",
      "client/net",
      "client/session",
      "client/people",
      "client/terminal",
      "client/editing",
      "client/commands",
      "client/render",
    ],
    face: ["run_doctor"],
  },
  "client/web": {
    says: "The chat in a browser, without its looks: what the page shows and what its user does.",
    uses: [
      "client/base",
      "client/files",
      "client/config",
      "client/net",
      "client/session",
      "client/sealed_engine",
      "client/rooms",
      "client/transfer_base",
      "client/uploads",
      "client/transfers",
      "client/terminal",
      "client/console",
      "client/render",
      "client/output",
      "client/chat",
      "client/commands",
      "client/app",
    ],
    face: ["page_actions", "page_chat", "page_renderer", "page_view", "start_form", "worker_url"],
  },
  "client/page": {
    says: "The page in a browser: its elements and looks, and where its script begins.",
    uses: ["client/base", "client/sealed_engine", "client/render", "client/web"],
    face: [],
  },
  "client": {
    says: "From the command line to a command to an exit code, nothing else.",
    uses: [
      "client/base",
      "client/sealed_engine",
      "client/config",
      "client/terminal",
      "client/commands",
      "client/app",
      "client/headless",
      "client/doctor",
    ],
    face: [],
  },
};
