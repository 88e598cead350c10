package io.holdfast.broker.config;

/**
 * Where an option's value comes from.
 *
 * @param text {@code default}, {@code flag}, {@code file:line}, or {@code set at run time}
 * @param kind which of the four
 */
record Origin(Kind kind, String text) {
  static final Origin DEFAULT = new Origin(Kind.DEFAULT, "default");
  static final Origin FLAG = new Origin(Kind.FLAG, "flag");

  /** By {@code PUT /config}: gone with the next start, or when the file is read again. */
  static final Origin RUN_TIME = new Origin(Kind.RUN_TIME, "set at run time");

  enum Kind {
    DEFAULT,
    FILE,
    FLAG,
    RUN_TIME
  }

  static Origin file(String place) {
    return new Origin(Kind.FILE, place);
  }

  boolean isGiven() {
    return kind != Kind.DEFAULT;
  }

  /**
   * Names an option the way the user wrote it: {@code --node-id}, or {@code conf/x.toml:3: ... id}.
   */
  String complaint(OptionSpec spec, String value) {
    String bad = "bad value " + value + " for ";
    return kind == Kind.FILE ? text + ": " + bad + spec.tomlKey() : bad + "--" + spec.flag();
  }
}
