package io.holdfast.broker.config;

import static io.holdfast.broker.config.OptionGroup.draft;

import java.util.List;

/** The options of a cluster. What they say together is another one's matter. */
final class ClusterOptions {
  private static final OptionGroup GROUP =
      new OptionGroup(NsqdOptions.ALL.size() + HoldfastOptions.ALL.size());

  static {
    GROUP.heading("Cluster (Holdfast's own)");
  }

  static final OptionSpec NODES =
      GROUP.add(
          draft(
              "cluster-nodes",
              ListType.strings("NAME HOST:PORT of three nodes", text -> true),
              "list",
              "the three nodes that share their topics, NAME HOST:PORT each; empty = no cluster"),
          List.of());
  static final OptionSpec NODE =
      GROUP.string("cluster-node", "", "which of cluster-nodes this is; listens there for them");
  static final OptionSpec ID =
      number("cluster-id", "", "part of the message ids of shared topics, 0 to 1023");
  static final OptionSpec GROUPS =
      number("cluster-groups", "3", "groups that the topics are divided into, for good, 1 to 16");
  static final OptionSpec TLS =
      GROUP.bool("cluster-tls", true, "TLS between nodes that are not all on loopback");
  static final OptionSpec TLS_CERT =
      GROUP.string("cluster-tls-cert", "", "PEM file: certificate with the node's name");
  static final OptionSpec TLS_KEY = GROUP.string("cluster-tls-key", "", "PEM file: its key");
  static final OptionSpec TLS_CA =
      GROUP.string("cluster-tls-ca", "", "PEM file: who signs the nodes' certificates");
  static final OptionSpec INIT =
      GROUP.add(
          draft(
                  "cluster-init",
                  OptionType.bool(),
                  "",
                  "make a cluster with two other empty nodes that have this flag, too")
              .flagOnly(),
          false);

  static final List<OptionSpec> ALL = GROUP.specs();

  private ClusterOptions() {}

  private static OptionSpec number(String flag, String defaultValue, String help) {
    return GROUP.add(draft(flag, OptionType.unchecked(), "", help), defaultValue);
  }

  /** The options as they were given. */
  static ClusterSettings of(Options options) {
    return new ClusterSettings(
        options.strings(NODES),
        given(options, NODE),
        given(options, ID),
        options.isGiven(GROUPS) ? String.valueOf(options.get(GROUPS)) : null,
        options.isGiven(TLS) ? options.bool(TLS) : null,
        given(options, TLS_CERT),
        given(options, TLS_KEY),
        given(options, TLS_CA),
        options.bool(INIT));
  }

  private static String given(Options options, OptionSpec spec) {
    String text = String.valueOf(options.get(spec));
    return options.isGiven(spec) && !text.isEmpty() ? text : null;
  }
}
