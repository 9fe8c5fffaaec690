import type { KubeClient } from '../../../kube/kube-client.ts';
import type { KubeObject } from '../../../kube/kube-object.ts';
import type { Resource } from '../../../kube/resource.ts';
import {
  selfSubjectAccessReviews,
  selfSubjectReviews,
  subjectAccessReviews,
} from '../../../kube/resources.ts';
import { errorCode } from '../../../runtime/errors.ts';

/** Something that RBAC gives or not. */
export interface AskedRight {
  readonly verb: string;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Whose rights are asked for, of whom this process is as a rule. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

interface SelfReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

interface AccessReview extends KubeObject {
  readonly status?: { readonly allowed?: boolean };
}

/** Asks the API server what the identity service may do, as itself or, with the right to, from outside. */
export class AskedAs {
  /** Who asks, as the API server knows it; undefined where it does not say. */
  readonly user: string | undefined;
  /** Whether that is the identity service. */
  readonly isAccount: boolean;
  readonly #client: Pick<KubeClient, 'create'>;
  readonly #account: Account;

  private constructor(client: Pick<KubeClient, 'create'>, account: Account, user: string | undefined) {
    this.#client = client;
    this.#account = account;
    this.user = user;
    this.isAccount = user === undefined || user === userOf(account);
  }

  /** Rejects as the client does where the API server cannot be asked at all. */
  static async learn(
    client: Pick<KubeClient, 'create'>,
    account: Account,
    signal: AbortSignal,
  ): Promise<AskedAs> {
    try {
      const { status } = await client.create<SelfReview>(selfSubjectReviews, {}, {}, signal);
      return new AskedAs(client, account, status?.userInfo?.username);
    } catch (error) {
      // Before version 1.28 there is no such question.
      if (errorCode(error) !== 'kube_not_found') throw error;
      return new AskedAs(client, account, undefined);
    }
  }

  /** Undefined where whoever asks may not ask for others. */
  async mayDo(
    { verb, resource, namespace, name, subresource }: AskedRight,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const { group, version, plural } = resource;
    const resourceAttributes = {
      ...{ verb, group, version, resource: plural },
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
      ...(subresource !== undefined && { subresource }),
    };
    const { namespace: home } = this.#account;
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${home}`, 'system:authenticated'];
    const other = { user: userOf(this.#account), groups };
    const kind = this.isAccount ? selfSubjectAccessReviews : subjectAccessReviews;
    const spec = { resourceAttributes, ...(!this.isAccount && other) };
    try {
      const { status } = await this.#client.create<AccessReview>(kind, {}, { spec }, signal);
      return status?.allowed === true;
    } catch (error) {
      if (errorCode(error) === 'kube_forbidden') return undefined;
      throw error;
    }
  }
}

function userOf({ namespace, name }: Account): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
