package io.holdfast.storage.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.NoSpaceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** First use, a vote that is gone, and one that cannot be read are different things. */
class VoteFileTest {
  @TempDir Path dir;
  private Path path;

  @BeforeEach
  void name() {
    path = dir.resolve("vote");
  }

  private void assertVote(long term, String vote) throws IOException {
    VoteFile file = VoteFile.open(path, Disk.LOCAL);
    assertEquals(term, file.term());
    assertEquals(vote, file.vote());
  }

  @Test
  void shouldBeginWithoutAVote() throws Exception {
    VoteFile file = VoteFile.create(path, Disk.LOCAL);
    assertEquals(0, file.term());
    assertEquals("", file.vote());
    assertVote(0, "");
    assertThrows(
        FileAlreadyExistsException.class,
        () -> VoteFile.create(path, Disk.LOCAL),
        "it may have voted");
  }

  @Test
  void shouldKeepTermAndVote() throws Exception {
    VoteFile file = VoteFile.create(path, Disk.LOCAL);
    file.set(7, "");
    assertVote(7, "");
    file.set(7, "10.0.0.2:4160:1");
    assertVote(7, "10.0.0.2:4160:1");
    assertEquals(
        "holdfast vote 1\nterm 7\nvote 10.0.0.2:4160:1\ncrc32c 9a958eee\n", Files.readString(path));
    file.set(7, "10.0.0.2:4160:1");
    file.set(9, "");
    assertVote(9, "");
  }

  @Test
  void shouldNotVoteTwiceInATerm() throws Exception {
    VoteFile file = VoteFile.create(path, Disk.LOCAL);
    file.set(7, "a");
    assertThrows(IllegalArgumentException.class, () -> file.set(7, "b"));
    assertThrows(IllegalArgumentException.class, () -> file.set(7, ""));
    assertThrows(IllegalArgumentException.class, () -> file.set(6, "b"));
    assertThrows(IllegalArgumentException.class, () -> file.set(8, "b\nterm 3"));
    assertThrows(IllegalArgumentException.class, () -> file.set(8, "b".repeat(300)));
    assertVote(7, "a");
    assertEquals(7, file.term());
  }

  @Test
  void shouldNotTakeAFileThatIsGoneForANewOne() throws Exception {
    assertThrows(NoSuchFileException.class, () -> VoteFile.open(path, Disk.LOCAL));
    assertThrows(NoSuchFileException.class, () -> VoteFile.open(dir.resolve("x/vote"), Disk.LOCAL));
  }

  @Test
  void shouldRefuseEachFlippedBit() throws Exception {
    VoteFile.create(path, Disk.LOCAL).set(7, "b");
    byte[] content = Files.readAllBytes(path);
    for (int at = 0; at < content.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] flipped = content.clone();
        flipped[at] ^= (byte) (1 << bit);
        Files.write(path, flipped);
        DamagedException e =
            assertThrows(DamagedException.class, () -> VoteFile.open(path, Disk.LOCAL));
        assertEquals(path, e.file());
        assertTrue(e.getMessage().startsWith("vote damaged: " + path + ":0: "), e.getMessage());
      }
    }
    for (int length = 0; length < content.length; length++) {
      Files.write(
          path,
          new String(content, StandardCharsets.UTF_8)
              .substring(0, length)
              .getBytes(StandardCharsets.UTF_8));
      assertThrows(DamagedException.class, () -> VoteFile.open(path, Disk.LOCAL));
    }
  }

  @Test
  void shouldRefuseABlockThatCannotBeRead() throws Exception {
    VoteFile.create(path, Disk.LOCAL).set(7, "b");
    FaultyDisk disk = new FaultyDisk();
    disk.breakBlock(path, 0);
    assertThrows(DamagedException.class, () -> VoteFile.open(path, disk));
  }

  @Test
  void shouldKeepTheOldVoteWhenTheDiskRefuses() throws Exception {
    boolean[] broken = {false};
    Disk disk =
        new Disk() {
          @Override
          public void force(Path file, boolean withSize) throws IOException {
            if (broken[0]) {
              throw new IOException("Input/output error");
            }
            super.force(file, withSize);
          }
        };
    VoteFile file = VoteFile.create(path, disk);
    file.set(7, "a");
    broken[0] = true;
    assertThrows(IOException.class, () -> file.set(8, "b"));
    assertEquals(7, file.term());
    assertEquals("a", file.vote());
    assertVote(7, "a");
    broken[0] = false;
    file.set(8, "c");
    assertVote(8, "c");
  }

  @Test
  void shouldTakeTheRoomThatIsMadeForIt() throws Exception {
    boolean[] full = {false};
    Disk disk =
        new Disk() {
          @Override
          public void force(Path file, boolean withSize) throws IOException {
            if (full[0]) {
              throw new NoSpaceException("no space left on device: " + file);
            }
            super.force(file, withSize);
          }
        };
    VoteFile file = VoteFile.create(path, disk);
    full[0] = true;
    assertThrows(NoSpaceException.class, () -> file.set(7, "b"));
    file.whenFull(
        cause -> {
          full[0] = false;
          return true;
        });
    file.set(8, "b");
    assertVote(8, "b");
  }
}
