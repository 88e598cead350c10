package io.holdfast.broker.auth;

/** What an authorization can allow (contract §1.7). */
public enum Permission {
  /** SUB. */
  SUBSCRIBE("subscribe"),
  /** PUB, MPUB and DPUB. */
  PUBLISH("publish");

  private final String text;

  Permission(String text) {
    this.text = text;
  }

  /**
   * The permission an auth server calls {@code text}.
   *
   * @throws IllegalArgumentException for any other word
   */
  static Permission parse(String text) {
    for (Permission permission : values()) {
      if (permission.text.equals(text)) {
        return permission;
      }
    }
    throw new IllegalArgumentException("unknown permission " + text);
  }
}
