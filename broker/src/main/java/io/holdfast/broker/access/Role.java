package io.holdfast.broker.access;

import java.util.Locale;

/** What somebody may do over HTTP. */
public enum Role {
  /** Nothing but what is open to all. */
  NONE,
  /** Publishes, and sees nothing. */
  PUBLISH,
  /** Sees everything. */
  READ,
  /** Everything. */
  ADMIN;

  /** What a route asks for. */
  public enum Right {
    /** Open to all. */
    OPEN,
    PUBLISH,
    READ,
    ADMIN
  }

  /** Whether it is enough for a route. */
  public boolean may(Right right) {
    return switch (right) {
      case OPEN -> true;
      case PUBLISH -> this == PUBLISH || this == ADMIN;
      case READ -> this == READ || this == ADMIN;
      case ADMIN -> this == ADMIN;
    };
  }

  /** As in options and files. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads a user's role; {@code none} is nobody's.
   *
   * @throws IllegalArgumentException for people
   */
  public static Role ofUser(String text) {
    for (Role role : values()) {
      if (role != NONE && role.text().equals(text)) {
        return role;
      }
    }
    throw new IllegalArgumentException("the role is none of read, publish, admin");
  }
}
