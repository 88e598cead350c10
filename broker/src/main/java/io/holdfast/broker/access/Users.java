package io.holdfast.broker.access;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The users of one file: {@code name:HASH:RIGHTS} a line, {@code #} comments and empty lines aside.
 * Immutable.
 *
 * @param <T> what the third part says
 */
public final class Users<T> {
  /** In characters. */
  static final int MAX_NAME_LENGTH = 64;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._@-]{1," + MAX_NAME_LENGTH + "}");

  private final Map<String, User<T>> byName = new HashMap<>();
  private final Map<String, User<T>> byToken = new HashMap<>();

  /**
   * One user.
   *
   * @param <T> as the file's
   */
  public record User<T>(String name, SecretHash hash, T rights) {
    /** Whether the password or token is the same as this one's. */
    public boolean hasSecretOf(User<?> other) {
      return hash.equals(other.hash);
    }
  }

  /**
   * Reads the third part of a line.
   *
   * @param <T> what it says
   */
  public interface RightsParser<T> {
    /**
     * Reads it.
     *
     * @throws IllegalArgumentException with the reason, for people
     */
    T parse(String text);
  }

  /** Nobody. */
  public static <T> Users<T> none() {
    return new Users<>();
  }

  /**
   * Reads a file, all or nothing.
   *
   * @throws IOException with a line for people: {@code FILE:LINE: reason}, never with a hash in it
   */
  public static <T> Users<T> read(Path file, RightsParser<T> rights) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new IOException(file + ": no such file", e);
    } catch (MalformedInputException e) {
      throw new IOException(file + ": not UTF-8", e);
    } catch (IOException e) {
      throw new IOException(file + ": cannot be read: " + e.getMessage(), e);
    }
    Users<T> users = new Users<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && !line.startsWith("#")) {
        try {
          users.add(line, rights);
        } catch (IllegalArgumentException e) {
          throw new IOException(file + ":" + (i + 1) + ": " + e.getMessage(), e);
        }
      }
    }
    return users;
  }

  private void add(String line, RightsParser<T> rights) {
    String[] parts = line.split(":", 3);
    if (parts.length < 3) {
      throw new IllegalArgumentException("not of the form name:HASH:...");
    }
    String name = parts[0];
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("the name is not 1 to 64 of A-Z a-z 0-9 . _ @ -");
    }
    SecretHash hash = SecretHash.parseOrNull(parts[1]);
    if (hash == null) {
      throw new IllegalArgumentException(
          name + ": the hash is neither bcrypt ($2a$, $2b$, $2y$) nor a token's 64 hex digits");
    }
    User<T> user = new User<>(name, hash, rights.parse(parts[2]));
    if (byName.put(name, user) != null) {
      throw new IllegalArgumentException("the name " + name + " is there twice");
    }
    if (hash.isToken() && byToken.put(hash.text(), user) != null) {
      throw new IllegalArgumentException(name + ": another one has the same token");
    }
  }

  /** Returns the user of this name, null for none. */
  public User<T> named(String name) {
    return byName.get(name);
  }

  /** Returns whose token this is, null for nobody's. */
  public User<T> holding(byte[] token) {
    return byToken.get(SecretHash.ofToken(token));
  }

  /** How many there are. */
  public int size() {
    return byName.size();
  }
}
