package io.holdfast.broker.config;

import java.util.Locale;
import java.util.Optional;

/** What somebody who gives no name may do over HTTP. */
public enum AnonymousRole {
  ADMIN,
  READ,
  PUBLISH,
  NONE;

  /** Returns the name as flags and file write it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads a role in any case.
   *
   * @return the role, empty if unknown
   */
  public static Optional<AnonymousRole> parse(String text) {
    for (AnonymousRole role : values()) {
      if (role.name().equalsIgnoreCase(text)) {
        return Optional.of(role);
      }
    }
    return Optional.empty();
  }
}
