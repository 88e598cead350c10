package io.holdfast.broker.config;

import java.util.Optional;

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
    Optional<Object> value =
        spec.type().parseFlag(text).filter(read -> spec.type().inBounds(spec.used(read)));
    return set(
        spec,
        value.orElseThrow(
            () ->
                new IllegalArgumentException(
                    Origin.FLAG.complaint(spec, GoValues.quote(text))
                        + ": accepted is "
                        + spec.accepted())),
        Origin.FLAG);
  }

  OptionsBuilder set(OptionSpec spec, Object value, Origin origin) {
    values = values.with(spec, value, origin);
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
}
