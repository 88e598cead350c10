package io.holdfast.broker.cluster.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * What a group's entries do on this node. All calls but {@link #leaderIs} and {@link #failed} come
 * one after the other, in the order of the log: all on the group's apply thread, but for a {@link
 * #stopsLeading} after a handover.
 */
public interface GroupMember {
  /**
   * Does what a committed entry says.
   *
   * @param index of the entry; not every index is one of ours
   * @param term in which it was proposed
   * @param entry only valid during the call
   * @throws IOException when it cannot be done: the group stops on this node
   */
  void apply(long index, long term, ByteBuffer entry) throws IOException;

  /** No more entries are ready right now. */
  default void endOfRun() {}

  /**
   * This node leads, and everything committed before is applied. Comes once in a term, or again
   * when a handover failed. Must not block.
   */
  void startsLeading(long term);

  /**
   * This node does not lead any more in that term, and will not again: another one leads, or a
   * higher term began. Must not block.
   */
  void stopsLeading(long term);

  /**
   * Who leads is known, or not any more. Any thread; must not block.
   *
   * @param node null when none is known
   * @param term of the leader, or the newest one known
   */
  void leaderIs(String node, long term);

  /**
   * Notes the state as it is now, quickly; what takes time is done by {@link Snapshot#writeTo}.
   *
   * @param index of the last entry that is applied
   * @param term of that entry
   */
  Snapshot snapshot(long index, long term) throws IOException;

  /**
   * Takes over the state of a snapshot in place of its own: before anything is applied, or in
   * between when another node sent one.
   *
   * @param dir its files, which stay as they are: link or copy what is wanted
   */
  void load(Path dir) throws IOException;

  /** Another node begins to send its snapshot. Any thread; must not block. */
  default void installing(String fromNode) {}

  /**
   * What was loaded last was another node's snapshot.
   *
   * @param index up to which it has everything
   */
  default void installed(long index) {}

  /**
   * The group stopped on this node and will not go on by itself. Any thread; must not block.
   *
   * @param reason in one line, for people
   */
  void failed(String reason);

  /** A state that was noted. */
  interface Snapshot {
    /**
     * Writes and forces its files; hard links and sub-directories are welcome. Not on the apply
     * thread.
     *
     * @param dir an empty directory
     * @return the files, relative to it, with {@code /}
     */
    List<String> writeTo(Path dir) throws IOException;
  }
}
