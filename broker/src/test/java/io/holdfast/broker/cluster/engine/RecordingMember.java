package io.holdfast.broker.cluster.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Keeps the entries as texts, in order; its snapshot is a file of them, in a sub-directory. */
final class RecordingMember implements GroupMember {
  private static final String FILE = "state/entries";

  @GuardedBy("this")
  private List<String> entries = new ArrayList<>();

  @GuardedBy("this")
  private long index;

  @GuardedBy("this")
  private long leads;

  @GuardedBy("this")
  private String leader;

  @GuardedBy("this")
  private final List<String> events = new ArrayList<>();

  @GuardedBy("this")
  private String refusesEntry = "";

  @GuardedBy("this")
  private int loads;

  @Override
  public synchronized void apply(long itsIndex, long term, ByteBuffer entry) throws IOException {
    String text = StandardCharsets.UTF_8.decode(entry.duplicate()).toString();
    if (itsIndex <= index) {
      throw new IOException("entry " + itsIndex + " came after " + index);
    }
    if (text.equals(refusesEntry)) {
      throw new IOException("cannot do " + text);
    }
    entries.add(text);
    index = itsIndex;
  }

  @Override
  public synchronized void startsLeading(long term) {
    leads = term;
    events.add("starts " + term);
  }

  @Override
  public synchronized void stopsLeading(long term) {
    leads = 0;
    events.add("stops " + term);
  }

  @Override
  public synchronized void leaderIs(String node, long term) {
    leader = node;
  }

  @Override
  public synchronized Snapshot snapshot(long itsIndex, long term) {
    String state = index + "\n" + String.join("\n", entries);
    return dir -> {
      Path file = dir.resolve(FILE);
      Files.createDirectory(file.getParent());
      Files.writeString(file, state);
      return List.of(FILE);
    };
  }

  @Override
  public synchronized void load(Path dir) throws IOException {
    List<String> lines = Files.readAllLines(dir.resolve(FILE));
    index = Long.parseLong(lines.get(0));
    entries = new ArrayList<>(lines.subList(1, lines.size()));
    loads++;
  }

  @Override
  public synchronized void failed(String reason) {
    events.add("failed " + reason);
  }

  /** Has an entry refused: the group is to stop there. */
  synchronized void refuse(String entry) {
    refusesEntry = entry;
  }

  synchronized List<String> entries() {
    return List.copyOf(entries);
  }

  /** The term in which this node leads, 0 when it does not. */
  synchronized long leads() {
    return leads;
  }

  synchronized String leader() {
    return leader;
  }

  /** How often it got a snapshot. */
  synchronized int loads() {
    return loads;
  }

  /** What it was told of leading and failing, in order. */
  synchronized List<String> events() {
    return List.copyOf(events);
  }
}
