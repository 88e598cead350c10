/**
 * One force for the journals of many topics: what they wait to have on disk is copied into one log,
 * and put back from there after a power cut.
 */
package io.holdfast.storage.redo;
