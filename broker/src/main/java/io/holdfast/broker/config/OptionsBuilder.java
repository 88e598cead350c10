package io.holdfast.broker.config;

import java.util.List;

/** Builds {@link Options} value by value. For one thread. */
public final class OptionsBuilder {
  private OptionValues values;

  OptionsBuilder(OptionValues values) {
    this.values = values;
  }

  /**
   * Sets an option as a flag would: {@code set("msg-timeout", "100ms")}; a list replaces the former
   * one.
   *
   * @param flag the flag's name without dashes
   * @param text the value as on the command line
   * @return this
   * @throws IllegalArgumentException if there is no such flag, or the value is unreadable or out of
   *     bounds
   */
  public OptionsBuilder set(String flag, String text) {
    OptionSpec spec =
        OptionTable.byFlag(flag)
            .orElseThrow(() -> new IllegalArgumentException("unknown flag --" + flag));
    return set(spec, read(spec, text, Origin.FLAG), Origin.FLAG);
  }

  /**
   * Sets an option of an embedded broker: {@code option("msg_timeout", "100ms")}; a list replaces
   * the former one.
   *
   * @param key as in the file
   * @param text the value as on the command line
   * @return this
   * @throws IllegalArgumentException in one line, if there is no such option, or the value is
   *     unreadable or out of bounds
   */
  public OptionsBuilder option(String key, String text) {
    OptionSpec spec =
        OptionTable.byTomlKey(key)
            .or(() -> OptionTable.byFlag(key.replace('_', '-')).filter(OptionSpec::isFlagOnly))
            .orElseThrow(
                () ->
                    new IllegalArgumentException(TomlFile.unknownKey(key, OptionTable.tomlKeys())));
    return set(spec, read(spec, text, Origin.PROGRAM), Origin.PROGRAM);
  }

  private static Object read(OptionSpec spec, String text, Origin origin) {
    return spec.type()
        .parseFlag(text)
        .filter(read -> spec.type().inBounds(spec.used(read)))
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    origin.complaint(spec, GoValues.quote(text))
                        + ": accepted is "
                        + spec.accepted()));
  }

  OptionsBuilder set(OptionSpec spec, Object value, Origin origin) {
    values = values.with(spec, value, origin);
    return this;
  }

  OptionsBuilder policies(List<PolicyTable> policies) {
    values = values.withPolicies(policies);
    return this;
  }

  Object get(OptionSpec spec) {
    return values.get(spec);
  }

  Origin origin(OptionSpec spec) {
    return values.origin(spec);
  }

  /** Returns the options; files and directories they name are not looked at. */
  public Options build() {
    return new Options(values);
  }

  /**
   * Returns the options once they are checked against each other and the file system.
   *
   * @throws IllegalArgumentException in one line that names the first bad one
   */
  public Options buildChecked() {
    Options options = build();
    OptionsValidator.check(options)
        .ifPresent(
            complaint -> {
              throw new IllegalArgumentException(GoValues.oneLine(complaint));
            });
    return options;
  }
}
