package io.holdfast.storage.raft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.NoSpaceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * A group's term and vote on disk, replaced as a whole:
 *
 * <pre>
 * holdfast vote 1
 * term 7
 * vote b 10.0.0.2:4160
 * crc32c 8f6c2b11
 * </pre>
 *
 * <p>First use, a file that is missing and one that cannot be read are different things: only the
 * first one may begin with term 0 and a free vote. Thread-safe (own monitor).
 */
public final class VoteFile {
  private static final int MAX_VOTE_CHARS = 256;
  private static final Pattern CONTENT =
      Pattern.compile("holdfast vote 1\nterm (\\d{1,18})\nvote (\\V*)\ncrc32c ([0-9a-f]{8})\n");

  private final Path path;
  private final Disk disk;

  @GuardedBy("this")
  private long term;

  @GuardedBy("this")
  private String vote;

  @GuardedBy("this")
  private Predicate<IOException> makeRoom = full -> false;

  private VoteFile(Path path, Disk disk, long term, String vote) {
    this.path = path;
    this.disk = disk;
    this.term = term;
    this.vote = vote;
  }

  /**
   * Makes the file of a new group, with term 0 and no vote, on disk when this returns.
   *
   * @throws FileAlreadyExistsException when there is one: it may have voted
   */
  public static VoteFile create(Path path, Disk disk) throws IOException {
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(path.toString());
    }
    VoteFile made = new VoteFile(path, disk, 0, "");
    synchronized (made) {
      made.write(0, "");
    }
    return made;
  }

  /**
   * Opens the file of a group that there is.
   *
   * @throws NoSuchFileException when it is gone: the group must not vote here
   * @throws DamagedException when it cannot be read: the same
   * @throws IOException when it is out of reach
   */
  public static VoteFile open(Path path, Disk disk) throws IOException {
    byte[] bytes;
    try {
      bytes = disk.readAll(path);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new DamagedException("vote", path, 0, "the disk cannot read it: " + e.getMessage());
    }
    Matcher content = CONTENT.matcher(new String(bytes, StandardCharsets.UTF_8));
    if (!content.matches()) {
      throw new DamagedException("vote", path, 0, "this is no vote");
    }
    long term = Long.parseLong(content.group(1));
    String vote = content.group(2);
    String expected = checksum(text(term, vote));
    if (!expected.equals(content.group(3))) {
      throw new DamagedException(
          "vote", path, 0, "checksum is " + content.group(3) + ", not " + expected);
    }
    return new VoteFile(path, disk, term, vote);
  }

  /** As {@link RaftLog#whenFull}: without a vote there is no leader, and nothing gets free. */
  public synchronized void whenFull(Predicate<IOException> asked) {
    makeRoom = asked;
  }

  /** The highest term known. */
  public synchronized long term() {
    return term;
  }

  /** Whom this node voted for in {@link #term}, "" for nobody. */
  public synchronized String vote() {
    return vote;
  }

  /**
   * Writes term and vote; on disk when this returns. When it throws, either may be there after a
   * crash, and this object has the old ones.
   *
   * @param newVote "" for nobody
   * @throws IllegalArgumentException when the term goes back, when another one was voted for in it,
   *     or when the vote is longer than 256 characters or more than a line
   * @throws IOException when the disk refuses: the vote must not be sent
   */
  public synchronized void set(long newTerm, String newVote) throws IOException {
    boolean isChanged = newTerm == term && !vote.isEmpty() && !vote.equals(newVote);
    if (newTerm < term || isChanged) {
      throw new IllegalArgumentException(
          "term " + newTerm + ", vote " + newVote + " after term " + term + ", vote " + vote);
    }
    if (newVote.length() > MAX_VOTE_CHARS || !newVote.matches("\\V*")) {
      throw new IllegalArgumentException("no vote: " + newVote);
    }
    if (newTerm != term || !newVote.equals(vote)) {
      write(newTerm, newVote);
      term = newTerm;
      vote = newVote;
    }
  }

  @GuardedBy("this")
  private void write(long newTerm, String newVote) throws IOException {
    String text = text(newTerm, newVote);
    byte[] content = (text + "crc32c " + checksum(text) + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      DurableFiles.replace(disk, path, content);
    } catch (IOException e) {
      if (!NoSpaceException.isCauseOf(e) || !makeRoom.test(e)) {
        throw e;
      }
      DurableFiles.replace(disk, path, content);
    }
  }

  private static String text(long term, String vote) {
    return "holdfast vote 1\nterm " + term + "\nvote " + vote + "\n";
  }

  private static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  @Override
  public String toString() {
    return "vote " + path;
  }
}
