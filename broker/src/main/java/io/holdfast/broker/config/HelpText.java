package io.holdfast.broker.config;

import java.util.Locale;

/** What {@code --help} prints, made from the table. */
final class HelpText {
  private static final String HEAD =
      """
      Holdfast, a durable message broker that speaks NSQ's protocol.

      Usage: java -jar holdfast.jar [--config=FILE] [--flag=value ...]

      A flag beats the file, the file beats the default. Keys in the file are the flag names with _ for -,
      or as given in ( ). Durations are 250ms, 1.5s, 1h30m; sizes are bytes, 64KB or 64KiB.
      conf/holdfast.toml says of every option why one would change it.

        --config FILE
              TOML file to read
        --version
              print the version and exit
        --help, -h
              print this and exit
      """;

  private HelpText() {}

  static String usage() {
    StringBuilder out = new StringBuilder(HEAD);
    String group = "";
    for (OptionSpec spec : OptionTable.all()) {
      if (!spec.group().equals(group)) {
        group = spec.group();
        out.append('\n').append(group).append(":\n");
      }
      append(out, spec);
    }
    return out.toString().stripTrailing();
  }

  private static void append(StringBuilder out, OptionSpec spec) {
    out.append("  --").append(spec.flag());
    if (!spec.type().isBoolFlag()) {
      String unit = spec.unit().isEmpty() ? "text" : spec.unit();
      out.append(' ').append(unit.toUpperCase(Locale.ROOT));
    }
    if (!spec.tomlKey().equals(spec.flag().replace('-', '_'))) {
      out.append("  (").append(spec.tomlKey()).append(')');
    }
    out.append("\n        ").append(spec.help());
    out.append(" (default: ").append(shownDefault(spec)).append(")\n");
  }

  private static String shownDefault(OptionSpec spec) {
    String text = spec.defaultText();
    if (text.isEmpty()) {
      return "none";
    }
    // Blanks at an end would be lost on the reader.
    return text.equals(text.strip()) ? text : GoValues.quote(text);
  }
}
