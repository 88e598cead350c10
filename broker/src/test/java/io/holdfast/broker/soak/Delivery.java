package io.holdfast.broker.soak;

/** A message id on one channel, and its last delivery. Guarded by its {@link ChannelAudit}. */
final class Delivery {
  /** What the consumer said to the last delivery. */
  enum Answer {
    NONE,
    FIN,
    FIN_READ,
    REQ,
    REQ_READ,
    REFUSED
  }

  /** A consumer's connection. */
  static final class Session {
    final int brokerLife;

    /** Before it connected. */
    final long startNs;

    /** When it last was known to have read all that had come; set by its consumer. */
    volatile long emptyNs;

    /** Set before the consumer closes it, and when it finds it closed. */
    volatile boolean ended;

    Session(int brokerLife, long startNs) {
      this.brokerLife = brokerLife;
      this.startNs = startNs;
      this.emptyNs = startNs;
    }
  }

  /** FIN or REQ to one delivery of a message, on its way to the broker. */
  static final class Answered {
    final Delivery message;
    final Session session;
    final int number;
    final int epoch;
    final boolean isFin;

    /** Set by the consumer that gave the answer, read by the same. */
    boolean refused;

    Answered(Delivery message, boolean isFin) {
      this.message = message;
      this.session = message.session;
      this.number = message.deliveries;
      this.epoch = message.epoch;
      this.isFin = isFin;
    }
  }

  final String key;
  final String id;
  final long timestampNs;
  Session session;
  Answer answer = Answer.NONE;
  long deliveredNs;

  /**
   * When its consumer last had read all there was before it read the last delivery, which waited in
   * the socket since then at most.
   */
  long sentAfterNs;

  long notBeforeNs;
  int attempts;
  int deliveries;

  /** How often it was known to begin anew. */
  int epoch;

  /** The broker has read a FIN and not refused it. */
  boolean finAccepted;

  /** A FIN crossed with another delivery; which one the broker took is not known yet. */
  boolean finCrossed;

  Delivery(String key, String id, long timestampNs) {
    this.key = key;
    this.id = id;
    this.timestampNs = timestampNs;
  }

  /** It was rewound or redriven: it is as if it had never come. */
  void beginAnew() {
    epoch++;
    finAccepted = false;
    finCrossed = false;
    attempts = 0;
  }

  /** Whether it is finished, or may be for all that can be known. */
  boolean isSettled() {
    return finAccepted || finCrossed || answer == Answer.FIN;
  }

  /** Whether a frame that is read only now was written before the last delivery. */
  boolean isOlderThanLast(int frameAttempts, Session frameSession) {
    return frameSession.brokerLife < session.brokerLife
        || (frameSession.brokerLife == session.brokerLife && frameAttempts < attempts);
  }
}
