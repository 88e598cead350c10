package io.holdfast.broker.cluster.state;

/** What an entry of a group's log can be. The codes are those of the log's entries for good. */
enum EntryType {
  /** A publish command. */
  PUBLISH(1),
  /** What became of messages: finished, delivered, held. */
  LEDGER(2),
  /** A topic is made. */
  CREATE_TOPIC(3),
  /** A topic is deleted. */
  DELETE_TOPIC(4),
  /** A channel is made. */
  CREATE_CHANNEL(5),
  /** A channel is deleted. */
  DELETE_CHANNEL(6),
  /** A topic or channel is paused, or goes on. */
  PAUSE(7),
  /** What a topic keeps, or what a channel has, is dropped. */
  EMPTY(8),
  /** A channel begins anew at a message. */
  REWIND(9),
  /** What was set by hand for a topic or channel. */
  POLICY(10),
  /** The first entry of a leader: none of an older term comes behind it. */
  TERM(11),
  /** From here on entries of a newer version are allowed. */
  FORMAT(12),
  /** Finds out which messages nobody needs any more. */
  SETTLE(13),
  /** From which message on finished ones are to stay. */
  RETAIN(14),
  /** The oldest messages that a topic keeps back are dropped. */
  DROP_KEPT(15),
  /** Ordinals are passed over that may have been used by what was lost. */
  SKIP(16),
  /** Messages that are not finished get copies further on in the journal. */
  CARRY(17);

  private static final EntryType[] BY_CODE = new EntryType[values().length + 1];

  static {
    for (EntryType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;

  EntryType(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** The type of a code, null when none has it. */
  static EntryType of(int code) {
    return code > 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
