import type { Client, JobStatus } from '@qapi-ts/qemu/qmp';

export async function follow(vm: Client, id: string): Promise<void> {
  vm.on('BLOCK_JOB_ERROR', onError);
  try {
    for await (const { data } of vm.events(['JOB_STATUS_CHANGE'])) {
      if (data.id === id && isOver(data.status)) return;
      await show(vm, id);
    }
  } finally {
    vm.off('BLOCK_JOB_ERROR', onError);
  }
}

function onError(event: { data: { device: string; action: string } }): void {
  console.error(`${event.data.device}: ${event.data.action}`);
}

function isOver(status: JobStatus): boolean {
  switch (status) {
    case 'concluded':
    case 'null':
      return true;
    default:
      return false;
  }
}

async function show(vm: Client, id: string): Promise<void> {
  const job = (await vm.queryJobs()).find((one) => one.id === id);
  if (job) console.log(`${job['current-progress']} of ${job['total-progress']}`);
}
