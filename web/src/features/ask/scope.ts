// What a question is limited to. The address names knowledge bases; a workspace is a name for some of them.
import type { Schemas } from "../../api/client";

export type Workspace = Schemas["WorkspaceResponse"];

/** Whether a workspace is part of the scope: all that it stands for is. */
export function includes(scope: readonly string[], workspace: Workspace): boolean {
  return workspace.knowledge_base_ids.every((id) => scope.includes(id));
}

/** The scope with a workspace, or without it. */
export function toggled(scope: readonly string[], workspace: Workspace, isIn: boolean): string[] {
  const without = scope.filter((id) => !workspace.knowledge_base_ids.includes(id));
  return isIn ? [...without, ...workspace.knowledge_base_ids] : without;
}

/** The workspace that the scope is, if it is one and nothing else. */
export function only(scope: readonly string[], workspaces: readonly Workspace[]): Workspace | undefined {
  return workspaces.find(
    (workspace) => workspace.knowledge_base_ids.length === scope.length && includes(scope, workspace),
  );
}
