package io.holdfast.storage.inspect;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.group.SnapshotSeal;
import io.holdfast.storage.group.StateCodec;
import io.holdfast.storage.log.LogFileNames;
import io.holdfast.storage.raft.DamagedException;
import io.holdfast.storage.raft.RaftLogView;
import io.holdfast.storage.raft.VoteFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A group of a cluster as a node has it on disk: vote, log and newest snapshot. All of it is read,
 * and checked, when it is made; nothing is changed. Immutable.
 *
 * @param group its number
 * @param vote null when it cannot be read
 * @param log null when it cannot be read
 * @param snapshot what the newest one says; null when there is none, or it cannot be read
 * @param snapshotDir where that is; null when there is none
 * @param defects what is wrong
 */
public record GroupView(
    int group,
    VoteFile vote,
    RaftLogView log,
    GroupImage snapshot,
    Path snapshotDir,
    List<Defect> defects) {
  private static final String STOPS = "the group stops on this node; others go on, see replace";

  /** One that its node replaces meanwhile is looked for again. */
  private static final int LOOKS = 3;

  /** What is found one after the other. */
  private static final class Found {
    private final List<Defect> defects = new ArrayList<>();

    private void add(IOException e, Path file) {
      if (e instanceof DamagedException damage) {
        defects.add(new Defect(damage.file(), damage.offset(), false, what(damage), STOPS));
      } else if (e instanceof NoSuchFileException gone) {
        defects.add(new Defect(Path.of(gone.getFile()), -1, false, "it is missing", STOPS));
      } else {
        defects.add(new Defect(file, -1, false, Reasons.of(e), STOPS));
      }
    }

    /** Without the place, which a defect has by itself. */
    private static String what(DamagedException damage) {
      String place = damage.file() + ":" + damage.offset() + ": ";
      return damage.getMessage().replace(place, "");
    }
  }

  /**
   * Reads a group.
   *
   * @param dir of the group
   */
  static GroupView read(Path dir, int group) throws IOException {
    Found found = new Found();
    VoteFile vote = null;
    try {
      vote = VoteFile.open(dir.resolve("vote"), Disk.LOCAL);
    } catch (IOException e) {
      found.add(e, dir.resolve("vote"));
    }
    RaftLogView log = null;
    try {
      log = RaftLogView.read(dir.resolve("log"));
      if (log.damage() != null) {
        found.add(log.damage(), dir);
      } else if (log.torn() != null) {
        found.defects.add(
            new Defect(
                dir.resolve("log"),
                -1,
                true,
                "what was written last is torn: " + log.torn(),
                "after a power cut it is cut there, and the node does not vote until it is level;"
                    + " else the group stops on this node"));
      }
    } catch (IOException e) {
      found.add(e, dir.resolve("log"));
    }
    return withSnapshot(dir, group, vote, log, found);
  }

  private static GroupView withSnapshot(
      Path dir, int group, VoteFile vote, RaftLogView log, Found found) throws IOException {
    Path newest = SnapshotSeal.newest(dir.resolve("snapshot"));
    GroupImage image = null;
    for (int look = 1; newest != null && image == null; look++) {
      try {
        image = StateCodec.read(newest.resolve(StateCodec.FILE));
        checkFiles(image, newest);
        SnapshotSeal.check(Disk.LOCAL, newest);
      } catch (IOException e) {
        Path now = SnapshotSeal.newest(dir.resolve("snapshot"));
        if (look == LOOKS || newest.equals(now)) {
          found.add(e, newest);
          break;
        }
        image = null;
        newest = now;
      }
    }
    if (newest == null && log != null && log.first() > 1) {
      Path missing = dir.resolve("snapshot");
      String what = "there is none, but the log begins with entry " + log.first();
      found.defects.add(new Defect(missing, -1, false, what, STOPS));
    }
    return new GroupView(group, vote, log, image, newest, List.copyOf(found.defects));
  }

  private static void checkFiles(GroupImage image, Path snapshot) throws IOException {
    for (TopicImage topic : image.topics()) {
      for (int file : topic.files()) {
        Path link = snapshot.resolve(GroupImage.linkName(topic.number(), LogFileNames.of(file)));
        if (!Files.exists(link)) {
          throw new NoSuchFileException(link.toString());
        }
      }
    }
  }

  /** Index up to which the newest snapshot goes; 0 when there is none. */
  public long snapshotIndex() {
    return snapshotDir == null ? 0 : SnapshotSeal.index(snapshotDir);
  }

  /** Whom it voted for in the vote's term; "none" for nobody. */
  public String votedFor() {
    return vote.vote().isEmpty() ? "none" : vote.vote().split(" ", 2)[0];
  }

  /** For people, in one line. */
  public String line() {
    StringBuilder line = new StringBuilder("group " + group + ": ");
    line.append(vote == null ? "term ?" : "term " + vote.term());
    line.append(log == null ? ", ? to ?" : ", " + log.first() + " to " + log.last());
    line.append(", snapshot ").append(snapshotIndex());
    line.append(", vote ").append(vote == null ? "?" : votedFor());
    for (Defect defect : defects) {
      line.append(defect.harmless() ? "; note: " : "; DEFECT: ")
          .append(defect.place())
          .append(": ")
          .append(defect.what());
    }
    return line.toString();
  }
}
