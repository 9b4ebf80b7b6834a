<?php

namespace app\commands;

use splynx\base\BaseInstallController;

/**
 * What the official add-on base registers for this add-on: module, API key with permissions, entry points.
 *
 * The entry points are those of entry-points.json, with the Twig code of the files in entry-points/. The permissions are
 * those the add-on's own installer grants; a test compares the two lists.
 */
class InstallController extends BaseInstallController
{
    /** The module is there to be used. */
    public $module_status = self::MODULE_STATUS_ENABLED;

    /** The first release with version 2.0 of the API. */
    public static $minimumSplynxVersion = '3.1';

    /** Also the title of the API key: the add-on's own installer uses the same key. */
    public function getAddOnTitle(): string
    {
        return 'Splynx BitPay add-on';
    }

    public function getModuleName(): string
    {
        return 'splynx_bitpay_addon';
    }

    public function getApiPermissions(): array
    {
        $finance = 'api\admin\finance\\';
        return [
            ['controller' => $finance . 'Payments', 'actions' => ['index', 'view', 'add']],
            ['controller' => $finance . 'Invoices', 'actions' => ['index', 'view', 'update']],
            ['controller' => $finance . 'Requests', 'actions' => ['index', 'view', 'update']],
            ['controller' => $finance . 'Transactions', 'actions' => ['index', 'view', 'add']],
            ['controller' => $finance . 'BankStatements', 'actions' => ['index', 'view', 'add']],
            ['controller' => $finance . 'BankStatementsRecords', 'actions' => ['index', 'view', 'add', 'update']],
            ['controller' => $finance . 'PaymentMethods', 'actions' => ['index', 'view', 'add']],
            ['controller' => $finance . 'TransactionCategories', 'actions' => ['index']],
            ['controller' => 'api\admin\customers\Customer', 'actions' => ['index', 'view']],
            ['controller' => 'api\admin\administration\Partners', 'actions' => ['index', 'view']],
            ['controller' => 'api\admin\config\EntryPoints', 'actions' => ['index']],
            ['controller' => 'api\admin\config\Config', 'actions' => ['index', 'view', 'update']],
            ['controller' => 'api\admin\config\Mail', 'actions' => ['index', 'add']],
        ];
    }

    public function getEntryPoints(): array
    {
        $folder = dirname(__DIR__);
        $points = json_decode($this->contentOf($folder . '/entry-points.json'), true, 16, JSON_THROW_ON_ERROR);
        return array_map(function (array $point) use ($folder): array {
            if (isset($point['code_file'])) {
                $point['code'] = $this->contentOf($folder . '/entry-points/' . basename($point['code_file']));
            }
            // The base knows the module by its name, and has no use for the name of a file.
            unset($point['module'], $point['code_file']);
            return $point;
        }, $points);
    }

    private function contentOf(string $path): string
    {
        $text = file_get_contents($path);
        if ($text === false) {
            throw new \RuntimeException($path . ' cannot be read');
        }
        return $text;
    }
}
