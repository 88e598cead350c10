package io.holdfast.broker.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Every option, in the order of {@code --help} and of {@code conf/holdfast.toml}. */
public final class OptionTable {
  private static final List<OptionSpec> ALL =
      concat(concat(NsqdOptions.ALL, HoldfastOptions.ALL), ClusterOptions.ALL);
  private static final Map<String, OptionSpec> BY_FLAG = index(ALL, OptionSpec::flag);
  private static final Map<String, OptionSpec> BY_TOML_KEY =
      index(ALL.stream().filter(spec -> !spec.isFlagOnly()).toList(), OptionSpec::tomlKey);

  private OptionTable() {}

  /** Returns every option in order; a spec's {@code index()} is its place here. */
  public static List<OptionSpec> all() {
    return ALL;
  }

  /** Returns the option with this flag name (no dashes), empty if there is none. */
  public static Optional<OptionSpec> byFlag(String flag) {
    return Optional.ofNullable(BY_FLAG.get(flag));
  }

  /**
   * Returns the option with this key in the file and in {@code /config}, empty if there is none.
   */
  public static Optional<OptionSpec> byTomlKey(String tomlKey) {
    return Optional.ofNullable(BY_TOML_KEY.get(tomlKey));
  }

  static Collection<String> flags() {
    return BY_FLAG.keySet();
  }

  static Collection<String> tomlKeys() {
    return BY_TOML_KEY.keySet();
  }

  private static List<OptionSpec> concat(List<OptionSpec> first, List<OptionSpec> second) {
    List<OptionSpec> all = new ArrayList<>(first);
    all.addAll(second);
    return List.copyOf(all);
  }

  private static Map<String, OptionSpec> index(
      List<OptionSpec> specs, Function<OptionSpec, String> name) {
    return specs.stream().collect(Collectors.toUnmodifiableMap(name, spec -> spec));
  }
}
