package io.holdfast.broker.access;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A users file that is read again when it changed. A new one with a fault, or a missing one, leaves
 * the users as they were. {@link #users} is for any thread, {@link #check} for one at a time.
 *
 * @param <T> as {@link Users}
 */
public final class UsersFile<T> {
  private static final Logger LOG = LoggerFactory.getLogger(UsersFile.class);

  private final Path file;
  private final Users.RightsParser<T> rights;
  private volatile Users<T> users;
  private String seen;
  private String reported;
  private volatile long reads;

  /**
   * Reads the file for the first time.
   *
   * @throws IOException as {@link Users#read}
   */
  public UsersFile(Path file, Users.RightsParser<T> rights) throws IOException {
    this.file = file;
    this.rights = rights;
    seen = state();
    users = Users.read(file, rights);
  }

  /** The users now. */
  public Users<T> users() {
    return users;
  }

  /** Where the users are. */
  public Path file() {
    return file;
  }

  /** How often other users were read than those of the start. */
  public long reads() {
    return reads;
  }

  /**
   * Whether the file can be used as it is now; changes nothing.
   *
   * @throws IOException as {@link Users#read}; {@link #check} does not log it again
   */
  public synchronized void verify() throws IOException {
    String now = state();
    try {
      Users.read(file, rights);
    } catch (IOException e) {
      seen = now;
      reported = e.getMessage();
      throw e;
    }
  }

  /**
   * Reads the file if it is another than last time.
   *
   * @return whether there are other users now
   */
  public synchronized boolean check() {
    String now = state();
    if (now.equals(seen)) {
      return false;
    }
    try {
      users = Users.read(file, rights);
      LOG.info("{}: read again, users: {}", file, users.size());
      seen = now;
      reported = null;
      reads++;
      return true;
    } catch (IOException e) {
      seen = now;
      if (!e.getMessage().equals(reported)) {
        reported = e.getMessage();
        LOG.error("{}; the users stay as they were", e.getMessage());
      }
      return false;
    }
  }

  /** What tells one content from another without reading it. */
  private String state() {
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return now.fileKey() + " " + now.size() + " " + now.lastModifiedTime();
    } catch (IOException e) {
      return "unreadable: " + e.getMessage();
    }
  }
}
