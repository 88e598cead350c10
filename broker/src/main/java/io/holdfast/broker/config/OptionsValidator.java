package io.holdfast.broker.config;

import java.io.File;
import java.util.List;
import java.util.Optional;

/**
 * Checks options against their bounds, each other and the file system, before anything is started.
 */
final class OptionsValidator {
  private static final List<OptionSpec> FILES =
      List.of(NsqdOptions.TLS_CERT, NsqdOptions.TLS_KEY, NsqdOptions.TLS_ROOT_CA_FILE);

  private OptionsValidator() {}

  /** Returns one line that names the first bad value and what is accepted, empty if all is well. */
  static Optional<String> check(Options options) {
    for (OptionSpec spec : OptionTable.all()) {
      Object value = options.get(spec);
      if (!spec.type().inBounds(value)) {
        return complaint(options, spec, "accepted is " + spec.accepted());
      }
    }
    return checkDataPath(options).or(() -> checkTls(options));
  }

  private static Optional<String> checkDataPath(Options options) {
    OptionSpec spec = NsqdOptions.DATA_PATH;
    String text = options.text(spec);
    // java.io.File, because it takes any text without throwing.
    File directory = new File(text.isEmpty() ? "." : text);
    if (!directory.exists()) {
      return complaint(options, spec, "the directory does not exist; create it first");
    }
    if (!directory.isDirectory()) {
      return complaint(options, spec, "not a directory");
    }
    return directory.canWrite()
        ? Optional.empty()
        : complaint(options, spec, "no permission to write to the directory");
  }

  private static Optional<String> checkTls(Options options) {
    for (OptionSpec spec : FILES) {
      String text = options.text(spec);
      File file = new File(text);
      if (!text.isEmpty() && !(file.isFile() && file.canRead())) {
        return complaint(options, spec, "accepted is a PEM file that exists and can be read");
      }
    }
    if (options.tlsCert().isPresent() != options.tlsKey().isPresent()) {
      boolean certGiven = options.tlsCert().isPresent();
      return Optional.of(
          certGiven
              ? "tls-cert is set and tls-key is not: TLS needs both"
              : "tls-key is set and tls-cert is not: TLS needs both");
    }
    if (options.tlsCert().isEmpty() && options.tlsRequired() != TlsRequired.FALSE) {
      String cause =
          options.get(NsqdOptions.TLS_REQUIRED) == TlsRequired.FALSE
              ? "tls-client-auth-policy=" + GoValues.quote(options.tlsClientAuthPolicy())
              : "tls-required=" + options.tlsRequired().text();
      return Optional.of(cause + " needs tls-cert and tls-key");
    }
    return Optional.empty();
  }

  private static Optional<String> complaint(Options options, OptionSpec spec, String rest) {
    String value = GoValues.quote(spec.type().format(options.get(spec)));
    return Optional.of(options.origin(spec).complaint(spec, value) + ": " + rest);
  }
}
