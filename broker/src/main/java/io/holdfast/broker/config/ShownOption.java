package io.holdfast.broker.config;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * An option as {@code GET /configuration} shows it, everything as people write it.
 *
 * @param group the heading in {@code --help}
 * @param key in the file
 * @param value in force
 * @param defaultValue in words if it depends on the machine
 * @param from {@code default}, {@code flag}, the file with its line, {@code set at run time}, or
 *     {@code program} where the broker is embedded
 * @param unit empty for none
 * @param meaning one line
 * @param noEffect why the option changes nothing here; null, and absent, if it does
 */
public record ShownOption(
    @JsonProperty("group") String group,
    @JsonProperty("key") String key,
    @JsonProperty("value") String value,
    @JsonProperty("default") String defaultValue,
    @JsonProperty("from") String from,
    @JsonProperty("unit") String unit,
    @JsonProperty("meaning") String meaning,
    @JsonProperty("no_effect") @JsonInclude(JsonInclude.Include.NON_NULL) String noEffect) {
  static ShownOption of(OptionSpec spec, Object value, Origin origin) {
    return new ShownOption(
        spec.group(),
        spec.tomlKey(),
        spec.type().format(value),
        spec.defaultText(),
        origin.text(),
        spec.unit(),
        spec.help(),
        spec.noEffect().orElse(null));
  }
}
