package io.holdfast.broker.config;

/**
 * Where an option's value comes from.
 *
 * @param text {@code default}, {@code flag}, {@code file:line}, {@code set at run time}, or {@code
 *     program} where the broker is embedded
 * @param kind which of them
 */
record Origin(Kind kind, String text) {
  static final Origin DEFAULT = new Origin(Kind.DEFAULT, "default");
  static final Origin FLAG = new Origin(Kind.FLAG, "flag");

  /** By {@code PUT /config}: gone with the next start, or when the file is read again. */
  static final Origin RUN_TIME = new Origin(Kind.RUN_TIME, "set at run time");

  /** By the program that the broker is embedded in. */
  static final Origin PROGRAM = new Origin(Kind.PROGRAM, "program");

  enum Kind {
    DEFAULT,
    FILE,
    FLAG,
    RUN_TIME,
    PROGRAM
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
    return switch (kind) {
      case FILE -> text + ": " + bad + spec.tomlKey();
      case PROGRAM -> bad + spec.tomlKey();
      default -> bad + "--" + spec.flag();
    };
  }
}
