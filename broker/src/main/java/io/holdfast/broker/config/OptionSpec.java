package io.holdfast.broker.config;

import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * One option: everything there is to know about it but its value. Made only by {@link OptionTable};
 * two specs are the same only if they are the same object.
 */
public final class OptionSpec {
  private final int index;
  private final String group;
  private final String flag;
  private final String tomlKey;
  private final OptionType type;
  private final Object defaultValue;
  private final String defaultText;
  private final String unit;
  private final String help;
  private final String noEffect;
  private final UnaryOperator<Object> substitute;
  private final boolean flagOnly;

  OptionSpec(int index, String group, Draft draft, Object defaultValue) {
    this.index = index;
    this.group = group;
    this.flag = draft.flag;
    this.tomlKey = draft.tomlKey;
    this.type = draft.type;
    this.defaultValue = defaultValue;
    this.defaultText = draft.defaultText;
    this.unit = draft.unit;
    this.help = draft.help;
    this.noEffect = draft.noEffect;
    this.substitute = draft.substitute;
    this.flagOnly = draft.flagOnly;
  }

  /** Returns the position in the table, from 0. */
  int index() {
    return index;
  }

  /** Returns the heading under which {@code --help} shows the option. */
  public String group() {
    return group;
  }

  /** Returns the flag's name without dashes. */
  public String flag() {
    return flag;
  }

  /** Returns the key in the file and in {@code /config}. */
  public String tomlKey() {
    return tomlKey;
  }

  /** Returns whether the file cannot have it: it is of one start. */
  boolean isFlagOnly() {
    return flagOnly;
  }

  OptionType type() {
    return type;
  }

  Object defaultValue() {
    return defaultValue;
  }

  /** Returns the default for people, in words if it depends on the machine. */
  public String defaultText() {
    return defaultText.isEmpty() ? type.format(defaultValue) : defaultText;
  }

  /** Returns whether the default depends on the machine. */
  public boolean hasComputedDefault() {
    return !defaultText.isEmpty();
  }

  /** Returns the unit of the value, empty if it has none. */
  public String unit() {
    return unit;
  }

  /** Returns one line that says what the option is for. */
  public String help() {
    return help;
  }

  /** Returns what values are accepted; follows the words "accepted is". */
  public String accepted() {
    return type.accepted();
  }

  /** Returns why the option, accepted for nsqd's sake, changes nothing here. */
  public Optional<String> noEffect() {
    return Optional.ofNullable(noEffect);
  }

  /**
   * Returns the value used for what was given: the same within the bounds. Outside, it is a
   * substitute where nsqd starts with such a value and means nothing that cannot be had here.
   */
  Object used(Object given) {
    return substitute == null || type.inBounds(given) ? given : substitute.apply(given);
  }

  @Override
  public String toString() {
    return "--" + flag;
  }

  /** An option being described; {@link OptionTable} makes it a spec. */
  static final class Draft {
    private final String flag;
    private final OptionType type;
    private final String help;
    private String tomlKey;
    private String defaultText = "";
    private String unit = "";
    private String noEffect;
    private UnaryOperator<Object> substitute;
    private boolean flagOnly;

    Draft(String flag, OptionType type, String unit, String help) {
      this.flag = flag;
      this.tomlKey = flag.replace('-', '_');
      this.type = type;
      this.unit = unit;
      this.help = help;
    }

    /** The key in the file, where it is not the flag's name with underscores. */
    Draft key(String key) {
      tomlKey = key;
      return this;
    }

    /** The default in words, where it depends on the machine. */
    Draft computed(String text) {
      defaultText = text;
      return this;
    }

    /** Marks an option that is accepted for nsqd's sake only. */
    Draft withoutEffect(String reason) {
      noEffect = reason;
      return this;
    }

    /** Keeps it out of the file. */
    Draft flagOnly() {
      flagOnly = true;
      return this;
    }

    /** Uses something else, and says so, rather than to refuse what is out of bounds. */
    Draft orElse(UnaryOperator<Object> other) {
      substitute = other;
      return this;
    }

    OptionType type() {
      return type;
    }
  }
}
