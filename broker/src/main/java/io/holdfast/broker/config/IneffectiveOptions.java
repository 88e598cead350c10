package io.holdfast.broker.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Says which of the user's options are not used as given, so that none is silently ignored. */
final class IneffectiveOptions {
  private static final Set<String> POLICIES = Set.of("require", "require-verify");

  private IneffectiveOptions() {}

  /** Returns one line per option that was given and has no effect, or another. */
  static List<String> explain(Options options) {
    List<String> lines = new ArrayList<>();
    for (OptionSpec spec : OptionTable.all()) {
      if (options.isGiven(spec)) {
        spec.noEffect().ifPresent(why -> lines.add(line(spec, why)));
        if (!options.get(spec).equals(options.given(spec))) {
          lines.add(substituted(options, spec));
        }
      }
    }
    for (String experiment : options.strings(NsqdOptions.ENABLE_EXPERIMENT)) {
      if (!experiment.equals(Options.TOPOLOGY_AWARE_CONSUMPTION)) {
        lines.add(
            line(
                NsqdOptions.ENABLE_EXPERIMENT,
                "there is no experiment " + GoValues.quote(experiment)));
      }
    }
    String policy = options.tlsClientAuthPolicy();
    if (!policy.isEmpty() && !POLICIES.contains(policy)) {
      lines.add(
          line(
              NsqdOptions.TLS_CLIENT_AUTH_POLICY,
              GoValues.quote(policy)
                  + " is neither require nor require-verify, so no client certificate is asked"
                  + " for"));
    }
    if (options.isGiven(NsqdOptions.HTTPS_ADDRESS)
        && options.httpsAddress().isPresent()
        && options.tlsCert().isEmpty()) {
      lines.add(line(NsqdOptions.HTTPS_ADDRESS, "HTTPS needs tls-cert and tls-key"));
    }
    if (options.isGiven(NsqdOptions.LOG_PREFIX) && options.logFormat() == LogFormat.JSON) {
      lines.add(line(NsqdOptions.LOG_PREFIX, "log-format is json"));
    }
    return List.copyOf(lines);
  }

  private static String substituted(Options options, OptionSpec spec) {
    OptionType type = spec.type();
    String given = GoValues.quote(type.format(options.given(spec)));
    return options.origin(spec).complaint(spec, given)
        + ": using "
        + type.format(options.get(spec))
        + ", accepted is "
        + spec.accepted();
  }

  private static String line(OptionSpec spec, String why) {
    return spec.flag() + " has no effect: " + why;
  }
}
