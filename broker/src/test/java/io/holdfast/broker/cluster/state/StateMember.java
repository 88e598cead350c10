package io.holdfast.broker.cluster.state;

import io.holdfast.broker.cluster.engine.GroupMember;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A member of a group that is a {@link GroupState} and nothing else. */
record StateMember(GroupState state) implements GroupMember {
  @Override
  public void apply(long index, long term, ByteBuffer entry) throws IOException {
    state.apply(index, term, entry);
  }

  @Override
  public void startsLeading(long term) {
    // It only follows.
  }

  @Override
  public void stopsLeading(long term) {
    // It only follows.
  }

  @Override
  public void leaderIs(String node, long term) {
    // Nobody asks.
  }

  @Override
  public Snapshot snapshot(long index, long term) throws IOException {
    return state.snapshot(index, term);
  }

  @Override
  public void load(Path dir) throws IOException {
    state.load(dir);
  }

  @Override
  public void failed(String reason) {
    throw new AssertionError(reason);
  }
}
