package io.holdfast.broker.config;

import java.util.Optional;

/**
 * Reads arguments as Go's flag package does (contract §8): {@code -x} and {@code --x} alike, a
 * value after {@code =} or as the next argument, booleans only by {@code =} or bare, {@code --}
 * ends the flags. The first bad argument decides. A word that is no flag is refused, where nsqd
 * silently ignores all that follows it. For one use, by one thread.
 */
final class FlagParser {
  private final String[] args;
  private final OptionsBuilder builder;
  private int next;
  private String configFile = "";
  private boolean version;
  private boolean help;

  FlagParser(String[] args, OptionsBuilder builder) {
    this.args = args;
    this.builder = builder;
  }

  /** Reads all arguments, or up to {@code --help}, which wins at once. */
  void parse() throws BadOptionException {
    while (next < args.length && !help) {
      String arg = args[next++];
      if (arg.equals("--")) {
        break;
      }
      if (arg.length() < 2 || arg.charAt(0) != '-') {
        throw strayWord(arg);
      }
      parseFlag(arg);
    }
    if (next < args.length && !help) {
      throw strayWord(args[next]);
    }
  }

  private void parseFlag(String arg) throws BadOptionException {
    String body = arg.substring(arg.startsWith("--") ? 2 : 1);
    int equals = body.indexOf('=');
    String name = equals < 0 ? body : body.substring(0, equals);
    Optional<String> attached =
        equals < 0 ? Optional.empty() : Optional.of(body.substring(equals + 1));
    if (name.isEmpty() || name.startsWith("-")) {
      throw badFlag("bad flag " + GoValues.quote(arg) + ": accepted is --name or --name=value");
    }
    switch (name) {
      case "help", "h" -> help = boolFlag(name, attached);
      case "version" -> version = boolFlag(name, attached);
      case "config" -> configFile = value(name, attached);
      default -> setOption(name, attached);
    }
  }

  private void setOption(String name, Optional<String> attached) throws BadOptionException {
    OptionSpec spec = OptionTable.byFlag(name).orElse(null);
    if (spec == null) {
      throw badFlag(
          "unknown flag "
              + GoValues.quote("--" + name)
              + Suggestion.closest(name, OptionTable.flags())
                  .map(flag -> ": did you mean --" + flag + "?")
                  .orElse(": --help lists the accepted ones"));
    }
    OptionType type = spec.type();
    String text = type.isBoolFlag() ? attached.orElse("true") : value(name, attached);
    Object value =
        type.parseFlag(text)
            .orElseThrow(
                () ->
                    badFlag(
                        Origin.FLAG.complaint(spec, GoValues.quote(text))
                            + ": accepted is "
                            + spec.accepted()));
    if (type instanceof ListType list && builder.origin(spec).isGiven()) {
      value = list.concat(builder.get(spec), value);
    }
    builder.set(spec, value, Origin.FLAG);
  }

  private static boolean boolFlag(String name, Optional<String> attached)
      throws BadOptionException {
    String text = attached.orElse("true");
    return GoValues.parseBool(text)
        .orElseThrow(
            () ->
                badFlag(
                    "bad value "
                        + GoValues.quote(text)
                        + " for --"
                        + name
                        + ": accepted is true or false"));
  }

  private String value(String name, Optional<String> attached) throws BadOptionException {
    if (attached.isPresent()) {
      return attached.get();
    }
    if (next == args.length) {
      throw badFlag("--" + name + " needs a value: accepted is --" + name + "=value");
    }
    return args[next++];
  }

  private static BadOptionException strayWord(String word) {
    return badFlag(
        "stray argument "
            + GoValues.quote(word)
            + ": accepted are flags only, as --help lists them");
  }

  private static BadOptionException badFlag(String message) {
    return new BadOptionException(BadOptionException.BAD_FLAG, message);
  }

  /** Returns the file named by {@code --config}, empty if none. */
  String configFile() {
    return configFile;
  }

  boolean isVersion() {
    return version;
  }

  boolean isHelp() {
    return help;
  }
}
