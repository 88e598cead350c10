package io.holdfast.broker.config;

/**
 * Where an option's value comes from.
 *
 * @param text {@code default}, {@code flag}, or {@code file:line}
 * @param kind which of the three
 */
record Origin(Kind kind, String text) {
  static final Origin DEFAULT = new Origin(Kind.DEFAULT, "default");
  static final Origin FLAG = new Origin(Kind.FLAG, "flag");

  enum Kind {
    DEFAULT,
    FILE,
    FLAG
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
